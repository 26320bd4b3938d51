"""The clouds whose images are cleaned: one port, and a folder for each API."""
