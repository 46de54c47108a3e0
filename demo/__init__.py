"""The front door: the `onset` command, benchmarks and, later, the dashboard."""
