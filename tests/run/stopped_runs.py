"""Runs that are stopped at one of their requests to a sandbox, and the runs after them."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from starlette.responses import Response

from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from tests.conftest import POLICY, Desk
from tests.factories import make_image

IMAGE = make_image("ci-a", id="a")

UNFINISHED = "settled: requested in run 7, which did not finish; "


@dataclass
class FaultInjector:
    """A hook for a sandbox that does something to the janitor at a call of that name, before or after it is carried
    out. A call that hangs does so until that is over, so that the sandbox need not wait for it at its end."""

    at: str
    ordinal: int = 1
    first_answer: bool = False
    act: Callable[[], object] = lambda: None
    hang: bool = False
    seen: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def again(self) -> "FaultInjector":
        """The same, not seen yet: parameters outlive their test."""
        return replace(self, seen=threading.Event(), over=threading.Event())

    async def __call__(self, call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        if (call.name, call.ordinal) != (self.at, self.ordinal):
            return await answer()
        response = await answer() if self.first_answer else Response(b"")
        self.act()
        self.seen.set()
        if self.hang:
            await asyncio.to_thread(self.over.wait, 60)
        return response


@contextmanager
def account(
    desk: Desk, injector: FaultInjector, *, images: int = 60, more: str = "", at_once: int = 1
) -> Iterator[Sandbox]:
    with running(Options(images=images), hook=injector) as cloud:
        desk.write("janitor.yaml", cloud.configuration(mode="delete"))
        desk.amend(f"limits: {{max_deletions: 1000, max_share: 100%}}\nconcurrency: {{deletions: {at_once}}}\n{more}")
        desk.write("policies/old.yaml", POLICY)
        try:
            yield cloud
        finally:
            injector.over.set()


def killed(desk: Desk, injector: FaultInjector) -> str:
    """What a run says that is killed at that point."""
    with desk.started("run") as process:
        injector.act = process.kill
        output, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return output
