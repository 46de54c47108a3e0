"""Numbers in, numbers out: optical flow, strain, magnification, model inputs, checkpoints and inference sessions."""
