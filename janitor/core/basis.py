"""What decisions are based on besides a survey: recorded with them, so that they can be repeated later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption, Memory
from janitor.core.planning.plan import Limits
from janitor.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Basis:
    """What a whole run is based on: what people wrote down, as it was when the run began.

    `policies` and `exemptions` (those of policy files, expired ones included) are in their order. `max_shrink` is in
    percent, and `accept_survey` says that a person had accepted the surveys beforehand.
    """

    policies: tuple[Policy, ...]
    exemptions: tuple[Exemption, ...]
    zone: tzinfo
    usage_memory: timedelta
    limits: Limits
    max_shrink: float
    accept_survey: bool


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the decisions on one target's images were based on: records about them, and with whom they were shared.

    `sharing` holds an answer for each image that was asked about, and for no others.
    """

    memory: Memory = field(default_factory=Memory)
    sharing: Mapping[str, Sharing] = field(default_factory=dict)


def answers(asked: Iterable[Image], told: Mapping[str, Sharing]) -> dict[str, Sharing]:
    """With whom each image that was asked about is shared, by id; with nobody where there was no answer for it."""
    return {image.id: told.get(image.id, Sharing()) for image in asked}
