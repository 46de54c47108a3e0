"""Inference sessions over a checkpoint: one contract, one file a backend."""
