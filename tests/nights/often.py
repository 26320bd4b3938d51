"""What is rare in a night, made frequent: each `Change` here replaces what the simulation draws."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple

from janitor.core.result import Mode, RunResult
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import Fault, Faults, Rule
from janitor.sandbox.models import StoredImage
from janitor.shutdown import Stop
from tests.nights import account, channel, simulation
from tests.nights.channel import Channel
from tests.nights.clockwork import Happening
from tests.nights.cloud import Cloud, draw_cloud
from tests.nights.ground import Attempt
from tests.nights.mishaps import NONE, Mishaps
from tests.nights.people import People
from tests.nights.simulation import Simulation
from tests.nights.team import DAY, HOUR, Team, name_of
from tests.nights.texts import Texts

_RECONSIDER, _RENAME = Team.reconsider, People.rename
_PLAIN = re.compile(r"[a-z][a-z0-9-]+")
_A_WHILE = timedelta(minutes=10)


class Change(NamedTuple):
    """One part of the product or of the simulation, and its replacement."""

    owner: object
    name: str
    value: object


def on(fits: Callable[[Cloud], bool] = lambda _cloud: True) -> Change:
    """Clouds of OpenStack that fit, and no others."""

    def drawn(draw: Random) -> Cloud:
        clouds = (draw_cloud(draw) for _ in count())
        return next(cloud for cloud in clouds if cloud.options.api is Api.OPENSTACK and fits(cloud))

    return Change(account, "draw_cloud", drawn)


# Faults


def _a_service_is_lost(draw: Random, _api: Api) -> Mishaps:
    return Mishaps(lost=draw.choice(("nova", "cinderv3", "magnum", "heat")))


def _a_cell_is_down(_draw: Random, api: Api) -> Mishaps:
    return Mishaps(Faults(rules=(Rule(Fault.DOWN_CELL),))) if api is Api.OPENSTACK else NONE


def _no_instance_is_listed(_draw: Random, _api: Api) -> Mishaps:
    return Mishaps(Faults(rules=(Rule(Fault.EMPTY_INSTANCES),)))


def _nothing_is_done(_draw: Random, _api: Api) -> Mishaps:
    return Mishaps(Faults(rules=(Rule(Fault.DELETION_NOT_DONE),)))


def _nothing_is_done_and_seen(draw: Random, _api: Api) -> Mishaps:
    """Deletions are accepted and not done, and the list after them cannot be read."""
    unread = Rule(Fault.HTTP_ERROR, frozenset({"list-images"}), frozenset({draw.randint(5, 12)}), lasting=_A_WHILE)
    return Mishaps(Faults(rules=(Rule(Fault.DELETION_NOT_DONE), unread)))


LOST_SERVICES = Change(simulation, "draw_mishaps", _a_service_is_lost)
DOWN_CELLS = Change(simulation, "draw_mishaps", _a_cell_is_down)
NO_INSTANCES = Change(simulation, "draw_mishaps", _no_instance_is_listed)
NOT_DONE = Change(simulation, "draw_mishaps", _nothing_is_done)
NOT_DONE_NOR_SEEN = Change(simulation, "draw_mishaps", _nothing_is_done_and_seen)


# People


def _reconsider_often(team: Team, now: datetime, images: Iterable[StoredImage]) -> bool:
    every = list(images)
    return any(_RECONSIDER(team, now, every) for _ in range(5))


def _hand_over_often(team: Team, _now: datetime, _images: Iterable[StoredImage]) -> bool:
    handed_over = team._draw.random() < 0.3
    team._taken_over ^= handed_over
    return handed_over


def _exempt_another(team: Team, now: datetime, images: Iterable[StoredImage]) -> bool:
    names = [name for image in images if _PLAIN.fullmatch(name := name_of(image) or "")]
    team._exempt.append({"image": team._draw.choice(names), "until": f"{now + 10 * DAY:%Y-%m-%d}", "why": "by review"})
    return True


def _somebody_interferes(simulated: Simulation, _stop: Stop) -> Happening:
    step = simulated._draw.randint(1, simulated._typical)
    return Happening(step, lambda: simulated.people.interfere(simulated.rules.free_to_go()))


def _somebody_takes_away_the_last(simulated: Simulation, _attempt: Attempt) -> Callable[[str], bool]:
    def act(image: str) -> bool:
        wanted = image in simulated.rules.free_to_go()
        if wanted:
            simulated.people.take_away(image)
        return wanted

    return act


def _somebody_exempts(simulated: Simulation, _stop: Stop) -> Happening:
    step = simulated._draw.randint(1, simulated._typical)
    return Happening(step, lambda: simulated.people.keep(simulated.rules.free_to_go()))


def _look_first(simulated: Simulation, _result: RunResult | None) -> None:
    simulated.clockwork.now += HOUR
    simulated._run(Attempt(mode=Mode.DRY_RUN))


def _somebody_kills(simulated: Simulation, _stop: Stop) -> Happening:
    return Happening(simulated._draw.randint(simulated._typical // 2, simulated._typical), simulation._crash)


def _edit_and_break(texts: Texts, draw: Random, words: tuple[str, ...]) -> None:
    if texts.files:
        file = texts.files[draw.choice(list(texts.files))]
        texts.put(replace(file, words=words, away=False, broken=draw.random() < 0.7))


def _rename_several(people: People) -> None:
    for _ in range(6):
        _RENAME(people)


NEW_POLICIES = Change(Team, "reconsider", _reconsider_often)
OTHER_OWNERS = Change(Team, "reconsider", _hand_over_often)
EXEMPTIONS_IN_FILES = Change(Team, "reconsider", _exempt_another)
EDGES = Change(Simulation, "_draw_edge", _somebody_takes_away_the_last)
INTERFERENCE = Change(Simulation, "_draw_happening", _somebody_interferes)
EXEMPTIONS = Change(Simulation, "_draw_happening", _somebody_exempts)
KILLS = Change(Simulation, "_draw_happening", _somebody_kills)
BROKEN_TEXTS = Change(Texts, "change", _edit_and_break)
DRY_RUNS = Change(Simulation, "_morning", _look_first)
NEW_NAMES = Change(People, "rename", _rename_several)
OTHER_ACCOUNTS = Change(simulation, "_SWAPPED", 0.3)
RESTORED_COPIES = Change(simulation, "_RESTORED", 0.5)


# The channel


def _silent_at_times(of: Channel) -> str:
    of._asked = 0
    seed = of._draw.randrange(10**6)
    of.mood = (lambda number: Random(seed + number).choice(channel._SILENT)) if seed % 2 else channel._agreeable
    return "silent at times"


SILENT_PROXIES = Change(Channel, "draw_mood", _silent_at_times)
