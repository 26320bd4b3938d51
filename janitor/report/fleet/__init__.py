"""What the commands of a fleet answer: how it stands, and what became of a night. Pure values in, text out."""
