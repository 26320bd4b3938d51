"""Who may answer an announcement by a click. What is not known is never taken for a permission."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from janitor.core.clicks.click import Click, Place, Wish

MOST_DAYS = 30
"""For how many days a member of the channel may keep an image; approvers may for longer."""


class Refusal(StrEnum):
    """Why a click has no effect."""

    UNREADABLE = "unreadable"
    OTHER_TEAM = "other-team"
    OTHER_APP = "other-app"
    OTHER_TEAMS_PERSON = "other-teams-person"
    UNKNOWN = "unknown-announcement"
    OTHER_MESSAGE = "other-message"
    NOT_A_MEMBER = "not-a-member"
    MEMBERS_UNKNOWN = "members-unknown"
    NOT_AN_APPROVER = "not-an-approver"
    APPROVERS_UNKNOWN = "approvers-unknown"


REFUSALS = {
    Refusal.UNREADABLE: "this button is not one of this version of Image Janitor",
    Refusal.OTHER_TEAM: "it came from another workspace",
    Refusal.OTHER_APP: "it came from a message of another app",
    Refusal.OTHER_TEAMS_PERSON: "only people of this workspace may keep images",
    Refusal.UNKNOWN: "this announcement is not known here: if it was sent twice, click in the other message",
    Refusal.OTHER_MESSAGE: "this message is not the one that was recorded: if it was sent twice, click in the other",
    Refusal.NOT_A_MEMBER: "only members of this channel may keep images: join it, and click again",
    Refusal.MEMBERS_UNKNOWN: "Slack did not say who is a member of this channel: try again in a minute",
    Refusal.NOT_AN_APPROVER: f"only approvers may keep images for more than {MOST_DAYS} days, or end exemptions",
    Refusal.APPROVERS_UNKNOWN: "Slack did not say who the approvers are: try again in a minute",
}
"""What each means to the person who clicked."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The team and the app as which this program is signed in to Slack."""

    team: str
    app: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a person is a member of the channel, and an approver; None where that is not known."""

    member: bool | None
    approver: bool | None


def needs_approver(click: Click) -> bool:
    """Whether only an approver may do this."""
    return click.wish is not Wish.KEEP or click.days > MOST_DAYS


def refusal_of_origin(click: Click, ours: Ours) -> Refusal | None:
    """Why a click is refused for where it came from; what is missing there is not ours."""
    if not click.team or click.team != ours.team:
        return Refusal.OTHER_TEAM
    if not click.app or click.app != ours.app:
        return Refusal.OTHER_APP
    if not click.person.id or click.person.team != ours.team:
        return Refusal.OTHER_TEAMS_PERSON
    return None


def refusal_of_place(click: Click, places: Collection[Place]) -> Refusal | None:
    """Why a click is refused for its message; `places` are those of what it is for, none where that is not known."""
    if not places:
        return Refusal.UNKNOWN
    return None if click.place in places else Refusal.OTHER_MESSAGE


def refusal_of_person(click: Click, standing: Standing) -> Refusal | None:
    """Why a click is refused for the person. An approver need not be a member of the channel."""
    if standing.approver:
        return None
    if needs_approver(click):
        return Refusal.NOT_AN_APPROVER if standing.approver is False else Refusal.APPROVERS_UNKNOWN
    if standing.member:
        return None
    return Refusal.NOT_A_MEMBER if standing.member is False else Refusal.MEMBERS_UNKNOWN
