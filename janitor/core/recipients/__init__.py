"""Who is told of an image: the recipient of its owner, and where reports about it go."""
