"""The answers of commands that try policies on what was recorded, and of those that compare runs."""
