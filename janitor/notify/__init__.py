"""Channels that reports are sent to. A channel says what it accepted, and only that starts a notice."""
