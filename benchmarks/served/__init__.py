"""Accounts of the Compute API v1.0 whose bytes are made once, so that little but the janitor itself is measured."""
