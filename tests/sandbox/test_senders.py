"""Janitors that share a sandbox: who sent which deletion is known, also of one that was killed meanwhile."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.responses import Response

from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from tests.conftest import POLICY, Desk
from tests.sandbox.senders import named, sender_of

MANY = "limits: {max_deletions: 1000, max_share: 100%}\n"


def furnish(desk: Desk, sandbox: Sandbox) -> dict[str, Path]:
    """A configuration for each account."""
    desk.write("policies/old.yaml", POLICY)
    return {
        name: desk.write(f"{name}.yaml", member.configuration(mode="delete", database=f"{name}.db") + MANY)
        for name, member in sandbox.members.items()
    }


def test_the_deletions_of_two_janitors_are_told_apart(desk: Desk) -> None:
    with running(Options(accounts=2, images=60)) as sandbox:
        for worker, (name, config) in enumerate(furnish(desk, sandbox).items()):
            held = sandbox.members[name].account.images.keys()
            desk.janitor("run", "--config", str(config), before=named(f"worker-{worker}"))
            gone = held - sandbox.members[name].account.images.keys()
            assert {deletion.image for deletion in sandbox.members[name].deletions} == gone != set()
            assert {sender_of(deletion) for deletion in sandbox.members[name].deletions} == {f"worker-{worker}"}
        assert {sender_of(request) for request in sandbox.requests} == {"worker-0", "worker-1"}


def test_a_deletion_is_recorded_also_if_its_sender_is_killed_before_the_answer(desk: Desk) -> None:
    seen, killed = threading.Event(), threading.Event()

    async def hook(call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        if call.name == "delete-image":
            seen.set()
            await asyncio.to_thread(killed.wait, 60)
        return await answer()

    with running(Options(accounts=1, images=60), hook=hook) as sandbox:
        [(name, config)] = furnish(desk, sandbox).items()
        with desk.started("run", "--config", str(config), before=named("a-worker")) as process:
            assert seen.wait(60)
            process.send_signal(signal.SIGKILL)
            process.wait(60)
            killed.set()
        recorded = threading.Event()
        while not sandbox.deletions:
            recorded.wait(0.01)
        deletion = sandbox.deletions[0]
        assert deletion.image not in sandbox.members[name].account.images
    assert (sender_of(deletion), deletion.code, deletion.account) == ("a-worker", 0, name)
    assert deletion.arrival.at < deletion.answered_at
