"""Texts that people declare because they name images: these images are in use, although no API shows it."""

from janitor.references.entries import Names, Reference, without_secrets
from janitor.references.globs import led_to
from janitor.references.reading import References

__all__ = ["Names", "Reference", "References", "led_to", "without_secrets"]
