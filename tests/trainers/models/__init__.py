"""One file a model, as in `trainers.models`."""
