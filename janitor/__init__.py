"""Image Janitor: surveys VM images, decides by policy which have expired, deletes them, and says why."""

__version__ = "0.1.0"
