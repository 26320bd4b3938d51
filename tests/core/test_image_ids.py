"""Ids in the spellings that lists, users and people give them: one image, whatever the spelling."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.memory import Exemption
from janitor.core.names.image_ids import folded, ids_in, unidentified
from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.result import DeletionOutcome, Mode
from janitor.core.survey import Survey
from janitor.core.usage import User
from janitor.references.named_images import NamedImages
from janitor.run.orders import Site
from janitor.store import Store
from tests.factories import NOW, make_image, usage_of
from tests.loopback import Answered, Asked
from tests.new_database import new_database
from tests.runs import run_of
from tests.toast_account import Account, entry, serving

ID = "0b7015de-4c1f-4e6a-9d3b-5a2f6c7d8e9f"
BARE = ID.replace("-", "")
SPELLINGS: list[Callable[[str], str]] = [
    lambda dashed: dashed.replace("-", ""),
    lambda dashed: f"urn:uuid:{dashed}",
    lambda dashed: f"{{{dashed.upper()}}}",
]
spelled = pytest.mark.parametrize("spelling", SPELLINGS, ids=["without-dashes", "urn", "in-braces"])
EVERY = Policy("all", Match(name=(Pattern("name*"),)), Expire(timedelta(days=14)))


@pytest.mark.parametrize(
    "written",
    [ID, ID.upper(), f" {ID}\n", BARE, BARE.upper(), f"urn:uuid:{ID}", f"URN:UUID:{BARE}", f"uuid:{ID}", f"{{{ID}}}"],
)
def test_a_uuid_is_one_id_in_every_spelling(written: str) -> None:
    assert folded(written) == ID
    assert ids_in(written) == (ID,)
    assert not unidentified(written)


@pytest.mark.parametrize("word", ["", "i1", "golden-image", BARE[1:], f"{BARE}0", "g" + BARE[1:], f"x{ID}", "g" * 36])
def test_what_is_no_uuid_is_only_lowered_and_stripped(word: str) -> None:
    assert folded(f" {word.upper()} ") == word


@spelled
def test_a_text_may_name_an_image_as_it_is_listed_or_as_it_is_usual(spelling: Callable[[str], str]) -> None:
    found = NamedImages([make_image(id=spelling(ID))]).ids
    assert found.keys() >= {ID, BARE, spelling(ID).lower()}
    assert set(found.values()) == {ID}


# Whole nights against the API


def dashed(number: int) -> str:
    return f"{number:08x}{ID[8:]}"


@dataclass
class Nights:
    """An account on loopback, and a database that goes on from night to night."""

    account: Account
    store: Store

    def perform(self, client: Any, mode: Mode = Mode.DELETE) -> Any:
        sites = [Site("prod", lambda: client)]
        limits = Limits(99, 100)
        [target] = (
            run_of(sites, [EVERY], self.store, mode, limits, clock=lambda: NOW, accept_survey=True).perform().targets
        )
        return target

    def night(self, mode: Mode = Mode.DELETE) -> tuple[Any, list[str]]:
        """The result, and the ids whose deletion was requested."""
        with serving(self.account) as (client, server):
            target = self.perform(client, mode)
            return target, [str(asked.query or asked.body) for asked in server.asked if asked.method == "DELETE"]


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    entries = [entry(dashed(number), createdAt="2026-10-01T00:00:00Z") for number in range(3)]
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        yield Nights(Account(entries=entries), store)


def reasons(target: Any) -> dict[str, str]:
    return {folded(decision.image.id): str(decision.reason) for decision in target.decisions}


@spelled
def test_an_image_that_is_listed_in_another_spelling_is_in_use(nights: Nights, spelling: Callable[[str], str]) -> None:
    nights.account.entries[0]["id"] = spelling(dashed(0))
    nights.account.instances = [{"id": "s1", "name": "web-1", "image": {"id": dashed(0)}}]
    target, deletions = nights.night()
    assert reasons(target)[dashed(0)] == "in-use"
    assert len(deletions) == 2


@spelled
def test_records_of_one_image_in_two_spellings_are_one_image(nights: Nights, spelling: Callable[[str], str]) -> None:
    twin = {**nights.account.entries[0], "id": spelling(dashed(0)), "protected": True}
    nights.account.entries.append(twin)
    target, deletions = nights.night()
    assert (len(target.decisions), reasons(target)[dashed(0)]) == (3, "unsettled-record")
    assert len(deletions) == 2


@spelled
def test_a_list_that_spells_otherwise_confirms_nothing_gone(nights: Nights, spelling: Callable[[str], str]) -> None:
    plain = nights.account.answer

    def answer(asked: Asked) -> Answered:
        if asked.method == "DELETE":
            for each in nights.account.entries:
                each["id"] = spelling(folded(each["id"]))
        return plain(asked)

    nights.account.answer = answer  # type: ignore[method-assign]
    target, deletions = nights.night()
    assert {deletion.outcome for deletion in target.deletions} == {DeletionOutcome.ACCEPTED}
    assert deletions
    settled = nights.night(Mode.DRY_RUN)[0].earlier.settled
    assert DeletionOutcome.DELETED not in {deletion.outcome for deletion in settled}


@spelled
def test_exemptions_hold_for_an_image_that_is_listed_otherwise_the_next_night(
    nights: Nights, spelling: Callable[[str], str]
) -> None:
    nights.night(Mode.DRY_RUN)
    nights.store.add_exemptions([("prod", Exemption(dashed(0), NOW + timedelta(days=9), "why", "ann"))], NOW)
    for each in nights.account.entries:
        each["id"] = spelling(each["id"])
    target, deletions = nights.night()
    assert reasons(target)[dashed(0)] == "exempt"
    assert len(deletions) == 2


def test_a_use_that_is_remembered_holds_in_any_spelling(tmp_path: Path) -> None:
    """Of two spellings that earlier versions recorded for one image, the later use counts."""
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        for day, users in enumerate(({BARE: "s1"}, {ID: "s2"}, {})):
            at = NOW + timedelta(days=day)
            run = store.begin_run(Mode.DRY_RUN, at)
            usage = usage_of({image: (User(server, server),) for image, server in users.items()}, instances=1)
            history = store.record_survey(run, "prod", Survey((make_image(id=BARE),), usage, at, at))
    assert history[BARE].last_in_use == NOW + timedelta(days=1)
