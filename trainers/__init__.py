"""Data sets, the published models, training, metrics and export; the only floor with PyTorch."""
