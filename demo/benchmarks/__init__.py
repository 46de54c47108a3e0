"""The benchmarks of `onset bench`, one file each: `run(quick=…)` gives plain figures, `render` a table."""
