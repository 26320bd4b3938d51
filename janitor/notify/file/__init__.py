"""A file as a channel: reports are added to it, one per line."""
