"""Image Janitor: surveys VM images, decides by policy which have expired, deletes them, and says why."""

__version__ = "0.1.0"
CHANGES = "unreleased, after 26 November 2026, second version"
"""The place of this version in CHANGELOG.md: its latest section, or, while that is being written, the one before it."""
