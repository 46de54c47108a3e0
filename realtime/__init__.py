"""Camera and video sources, face tracking, spotting, recognition and sessions; the live system without PyTorch."""
