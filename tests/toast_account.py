"""A Compute API v1.0 on loopback with a plain account, and whatever a test scripts in front of it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import stamina

from janitor.cloud.toast.client import ToastClient
from janitor.transport import HttpOptions
from tests.loopback import Answered, Asked, Loopback

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
APPKEY, USERNAME, PASSWORD = "4ppk3y/../x", "robot+ci@example.com", "p@ss w0rd?&\"'"
ROOT = "/compute/v1.0/appkeys/4ppk3y%2F..%2Fx"
IMAGES, DELETE, INSTANCES, TOKENS = "GET /images", "DELETE /images", "GET /instances-detail", "POST /tokens"


def yes(**body: Any) -> Answered:
    return Answered({"header": {"isSuccessful": True, "resultCode": 0, "resultMessage": "SUCCESS"}, **body})


def no(code: object, message: str = "no", status: int = 200, **headers: str) -> Answered:
    header = {"isSuccessful": False, "resultCode": code, "resultMessage": message}
    return Answered({"header": header}, status=status, headers=headers)


def entry(image_id: str = "i1", **facts: Any) -> dict[str, Any]:
    ordinary = {
        "id": image_id,
        "name": f"name of {image_id}",
        "status": "active",
        "isPublic": False,
        "protected": False,
        "createdAt": "2026-11-01T00:00:00Z",
        "updatedAt": "2026-11-02T00:00:00.5",
        "size": 10 * 2**30,
        "diskFormat": "qcow2",
        "minDisk": 20,
        "minRam": 0,
        "properties": {"os_distro": "ubuntu"},
    }
    return ordinary | facts


@dataclass
class Account:
    """A server with a plain account: two images, no instances, and whatever a test scripts in front of it.

    `script` holds, by call, answers to give before the ordinary ones. `lifetime` is a token's, by the server's clock.
    """

    script: dict[str, deque[Answered]] = field(default_factory=dict)
    entries: list[Any] = field(default_factory=lambda: [entry("i1"), entry("i2")])
    instances: list[Any] = field(default_factory=list)
    lifetime: timedelta = timedelta(hours=1)
    clock: Callable[[], datetime] = lambda: NOW
    issued: int = 0
    dead: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def scripted(self, call: str, *answers: Answered) -> "Account":
        self.script[call] = deque(answers)
        return self

    def answer(self, asked: Asked) -> Answered:
        call = f"{asked.method} {asked.path.removeprefix(ROOT)}"
        if self.script.get(call):
            return self.script[call].popleft()
        if call == TOKENS:
            return self.token()
        if asked.headers.get("x-auth-token") in self.dead:
            return no(30401, "Unauthorized")
        if call == IMAGES:
            return self.page(asked)
        return yes(instances=self.instances) if call == INSTANCES else yes()

    def token(self) -> Answered:
        with self.lock:
            self.issued += 1
            stamps = {"issued_at": self.clock().isoformat()[:26], "expires": (self.clock() + self.lifetime).isoformat()}
            return yes(access={"token": {"id": f"t0ken-{self.issued}", **stamps}, "user": {"id": "u"}})

    def page(self, asked: Asked) -> Answered:
        ids = [None, *(image.get("id") for image in self.entries if isinstance(image, dict))]
        start = ids.index(asked.query.get("marker"))
        return yes(images=self.entries[start : start + int(asked.query["limit"])])


@contextmanager
def serving(
    account: Account,
    options: HttpOptions | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
    slash: str = "",
    *,
    imageless: bool = False,
) -> Iterator[tuple[ToastClient, Loopback]]:
    with stamina.set_testing(True, attempts=100, cap=True), Loopback(account.answer) as server:
        words = (f"{server.url}/compute{slash}", APPKEY, USERNAME, PASSWORD, options or HttpOptions(attempts=3))
        client = ToastClient(*words, imageless=imageless, clock=clock)
        try:
            yield client, server
        finally:
            client.close()


def calls(server: Loopback) -> list[str]:
    return [path.replace(ROOT, "") for path in server.paths()]


def ids(client: ToastClient) -> list[str]:
    return [image.id for image in client.images()]
