"""What each command does once its options are read; imported by the command line only when a command runs."""
