"""The Compute API v1.0 of NHN Cloud (TOAST)."""
