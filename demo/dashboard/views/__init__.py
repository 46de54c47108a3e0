"""One file a tab: its layout and what its controls do."""
