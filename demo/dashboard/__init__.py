"""The dashboard: the pipeline of the command line, in the browser."""
