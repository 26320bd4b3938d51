"""What changed between two surveys of a target, read from the database."""
