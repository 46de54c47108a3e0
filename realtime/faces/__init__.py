"""Faces in a frame: tracking, landmarks, alignment, quality."""
