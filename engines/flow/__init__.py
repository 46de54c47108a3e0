"""Optical flow: TV-L1 as a plain reference and as a fast CPU engine."""
