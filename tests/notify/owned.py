"""Images that have owners, and the configuration that tells these."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from janitor.config import Settings
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.memory import Notice
from janitor.core.names.owners import OwnerRule
from janitor.core.policy import Match, Policy
from janitor.core.result import TargetResult
from janitor.sandbox.slack.people import KIM, LEE, PARK, Person
from janitor.store import Store
from tests.factories import NOW, make_image, make_target, to_keep
from tests.notify.deliveries import settings_of
from tests.slack_stand_in import CHANNEL, TOKEN, Posted, SlackStandIn

WEB = "#team-web"
DB = "#team-db"
OWNERS = f"{{web: {{channel: '{WEB}'}}, kim: {{user: {KIM.id}}}, domains: [example.com]}}"
OWNED = Policy("owned", Match(), notice=timedelta(days=2), owner=OwnerRule("property:owner"))


def owned_settings(folder: Path, slack: SlackStandIn, owners: str | None = OWNERS, post: str = "changes") -> Settings:
    slack_keys = f"token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}', post: {post}"
    return settings_of(folder, f"slack: {{{slack_keys}}}\n" + (f"owners: {owners}\n" if owners else ""))


def waiting_of(owner: str | None, name: str, policy: str = "owned") -> Decision:
    """An image of an owner that is to be announced."""
    image = make_image(name, properties={} if owner is None else {"owner": owner})
    return to_keep(image, Reason.NOTICE, verdict=Verdict.WAIT, policy=policy, due=NOW + timedelta(days=2))


def announcing_of(owners: Iterable[str | None], policy: str = "owned") -> TargetResult:
    """Two images of each of these owners that are to be announced, named after them."""
    waits = [waiting_of(owner, f"{owner}-{number}", policy) for owner in owners for number in (1, 2)]
    return make_target(waits, announced=tuple(waits))


def ids_of(target: TargetResult, owner: str | None) -> set[str]:
    """The ids of the images of an owner."""
    found = (one.image for one in target.decisions if (one.image.properties or {}).get("owner") == owner)
    return {image.id for image in found}


def posted_to(slack: SlackStandIn, place: str | Person) -> list[Posted]:
    """What stands in a channel, or in the direct messages with a person."""
    name = place if isinstance(place, str) else f"@{place.name}"
    channel = slack.channels.get(name)
    return [one for one in slack.posted if channel is not None and slack.place_of(one) is channel]


def everywhere(slack: SlackStandIn) -> dict[str, str]:
    """All that stands in each place, texts and files."""
    shown = {
        name: "\n".join(
            [f"{one.text}\n{one.shown}" for one in posted_to(slack, name if name[0] == "#" else _person(name))]
        )
        for name in slack.channels
    }
    for file in slack.files:
        [name] = [name for name, channel in slack.channels.items() if channel.id == file.channel]
        shown[name] += file.content
    return shown


def _person(name: str) -> Person:
    return next(person for person in (LEE, KIM, PARK) if f"@{person.name}" == name)


def notices(settings: Settings) -> dict[str, Notice]:
    with Store.open(settings.database) as store:
        return dict(store.memory("prod").notices)
