"""What a comparison of two runs says, in each format."""
