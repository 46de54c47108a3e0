"""One file a database, as in `trainers.datasets`."""
