"""Who is in the workspace: people, groups of them, and the app."""

from dataclasses import dataclass

TEAM, OTHER_TEAM = "T0STANDIN01", "T0ELSEWHERE"
APP, OTHER_APP = "A0STANDIN01", "A0ELSEWHERE"
BOT_USER, BOT = "U0JANITOR01", "B0JANITOR01"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who reads and clicks; `team` is the workspace that the account is of."""

    id: str
    name: str
    email: str
    team: str = TEAM
    deleted: bool = False


LEE = Person("U0LEE000001", "lee", "lee@example.com")
KIM = Person("U0KIM000001", "kim", "kim@example.com")
PARK = Person("U0PARK00001", "park", "park@example.com")
"""Of the workspace, and in no channel."""
STRANGER = Person("U0STRANGER1", "stranger", "stranger@elsewhere.example", OTHER_TEAM)
"""Of another workspace, with which the channel is shared."""

PEOPLE = (LEE, KIM, PARK, STRANGER)
APPROVERS = "S0APPROVERS"
GROUPS = {APPROVERS: (KIM.id,)}
