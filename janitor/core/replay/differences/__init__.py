"""What changed between two surveys of a target, and why decisions are other ones."""
