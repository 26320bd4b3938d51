"""What uses the images of an OpenStack project, a module for each source, and what asks them all in parallel."""

from janitor.cloud.openstack.usage.survey import UsageSurvey

__all__ = ["UsageSurvey"]
