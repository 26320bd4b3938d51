"""A page on loopback that shows the workspace as people see it, and lets them click."""
