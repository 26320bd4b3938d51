"""The commands that read what is recorded: `images`, `explain`, `waiting`, `policies`, `runs` and `show`."""
