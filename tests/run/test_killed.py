"""A run that is killed at any point: its requests are settled by the next one, and reported everywhere."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import EllipsisType

import pytest
from starlette.responses import Response

from janitor.sandbox.request_log import Call
from tests.conftest import Desk
from tests.run.stopped_runs import FaultInjector, account, killed
from tests.slack_stand_in import SlackStandIn

KILLED = [
    pytest.param(FaultInjector("list-images"), [], id="in-the-survey"),
    pytest.param(FaultInjector("delete-image"), ["failed"], id="asked-and-not-done"),
    pytest.param(FaultInjector("delete-image", first_answer=True), ["deleted"], id="done-and-not-answered"),
    pytest.param(FaultInjector("delete-image", 3, True), ["deleted"] * 3, id="in-the-third-deletion"),
    pytest.param(FaultInjector("list-images", 2), ..., id="before-anything-is-confirmed"),
]


@pytest.mark.parametrize(("injector", "expected"), KILLED)
def test_what_a_killed_run_asked_for_is_settled_by_the_next(
    desk: Desk, injector: FaultInjector, expected: list[str] | EllipsisType
) -> None:
    injector = injector.again()
    with account(desk, injector) as cloud:
        assert killed(desk, injector) == ""
        asked = [request.image for request in cloud.requests if request.method == "DELETE"]
        done = json.loads(desk.janitor("run", "--format", "json").stdout)
        again = json.loads(desk.janitor("run", "--format", "json").stdout)
        in_all = [request.image for request in cloud.requests if request.method == "DELETE"]
    (target,) = done["targets"]
    assert [entry["image"] for entry in target["settled"]] == asked
    outcomes = [entry["outcome"] for entry in target["settled"]]
    assert outcomes == (expected if isinstance(expected, list) else ["deleted"] * len(asked))
    assert (done["outcome"], again["outcome"]) == ("ok", "ok")
    assert (again["targets"][0]["settled"], again["targets"][0]["deletions"]) == ([], [])
    with closing(sqlite3.connect(desk.folder / "sandbox.db")) as db:
        journal = [row[0] for row in db.execute("SELECT image FROM deletions ORDER BY deletion")]
        assert journal == in_all, "every request is in the journal, and the reverse"
        assert db.execute("SELECT count(*) FROM deletions WHERE outcome IS NULL").fetchone() == (0,)


@dataclass
class Witness(FaultInjector):
    """An injector that looks for each deletion that arrives in the database on disk."""

    database: Path = Path()
    arrived: list[str | None] = field(default_factory=list)
    unknown: list[str | None] = field(default_factory=list)

    async def __call__(self, call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        if call.name == self.at:
            with closing(sqlite3.connect(self.database)) as db:
                found = db.execute(
                    "SELECT 1 FROM deletions WHERE image = ? AND answer IS NULL", (call.image,)
                ).fetchone()
            self.arrived.append(call.image)
            self.unknown += [] if found else [call.image]
        return await super().__call__(call, answer)


@pytest.mark.parametrize("first_answer", [False, True], ids=["not-done", "done"])
@pytest.mark.parametrize("ordinal", [1, 7, 19])
def test_of_several_requests_at_once_each_is_on_disk_when_it_arrives(
    desk: Desk, ordinal: int, first_answer: bool
) -> None:
    witness = Witness("delete-image", ordinal, first_answer, database=desk.folder / "sandbox.db")
    with account(desk, witness, at_once=8) as cloud:
        killed(desk, witness)
        (target,) = json.loads(desk.janitor("run", "--dry-run", "--format", "json").stdout)["targets"]
        done = {request.image for request in cloud.requests if request.method == "DELETE" and request.code == 0}
    arrived = set(witness.arrived)
    assert len(arrived) >= ordinal
    assert witness.unknown == []
    settled = {entry["image"]: entry["outcome"] for entry in target["settled"]}
    assert arrived <= set(settled), "what was requested is told"
    assert {image for image, outcome in settled.items() if outcome == "deleted"} == done, "and nothing else is claimed"


def test_settled_deletions_stand_in_every_report(desk: Desk) -> None:
    injector = FaultInjector("delete-image", first_answer=True)
    with account(desk, injector), SlackStandIn() as slack:
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        killed(desk, injector)
        shown = desk.janitor("run", "--dry-run").stdout
        assert "Settled, requested in an earlier run: 1 image" in shown
        assert "requested in run 1, which did not finish; no answer was recorded; it is no longer listed" in " ".join(
            shown.split()
        )
        posted = "\n".join(message.shown for message in slack.posted)
        assert "Settled, requested in an earlier run: 1 image" in posted
        assert desk.janitor("show", "2").stdout == shown
