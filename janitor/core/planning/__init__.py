"""What is to be deleted, what has changed since somebody reviewed that, and what became of what was asked for."""
