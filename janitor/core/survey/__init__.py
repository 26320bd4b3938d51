"""Whether a survey can be believed: whose images it saw, by which clock, and what contradicts itself."""
