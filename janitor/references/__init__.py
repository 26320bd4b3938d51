"""Texts that people declare because they name images: these images are in use, although no API shows it."""

from janitor.references.entries import Names, Reference, without_secrets
from janitor.references.globs import led_to

__all__ = ["Names", "Reference", "led_to", "without_secrets"]
