"""From aligned faces to events: regional movement, sliding windows, the onset–apex–offset machine."""
