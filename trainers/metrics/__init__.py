"""Recognition and spotting metrics."""
