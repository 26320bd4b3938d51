"""Channels that reports are sent to. A channel says what it accepted, and only that starts a notice."""

from janitor.notify.channels import configured
from janitor.notify.delivery import Delivery, deliver, resend

__all__ = ["Delivery", "configured", "deliver", "resend"]
