"""What surveys saw and what was decided about it, stored as changes: images, clocks, usage, decisions."""
