"""The command line: the only place that prints, with one boundary for errors; an option stands beside what it does."""
