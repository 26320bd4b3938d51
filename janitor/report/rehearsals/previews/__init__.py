"""What a preview says, in each format."""
