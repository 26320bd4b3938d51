"""What surveys saw and what was decided on it, kept as changes: images, their clocks, what uses them, decisions."""
