"""What is answered to each request: tokens, pages of images, instances, deletions, and how to begin anew.

Nothing is checked that the janitor sends, credentials included. `POST /again?first=F&images=N` lets every account show
its images from the F-th newest on, N of them, with none deleted.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from benchmarks.served.pages import Entries, Stretch
from janitor.clock import utc_now
from janitor.sandbox.compute_v1 import wire
from janitor.sandbox.compute_v1.wire import OPENING
from janitor.sandbox.refusals import Kind, Refusal, Resource

_CALL = re.compile(r"/v1\.0/appkeys/([^/]+)(/[a-z-]+)")
_LIFETIME = timedelta(hours=12)
_USUAL_LIMIT = 1000
_BAD_MARKER, _ABSENT = 30400, -5


class Accounts:
    """Accounts that share a fleet: each lists as many images as the others, and its appkey is one of `appkeys`."""

    def __init__(
        self,
        entries: Entries,
        instances: Sequence[tuple[str, bytes]] = (),
        accounts: int = 1,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self._entries = entries
        self._each = len(entries) // accounts
        self._stretches = {f"appkey-{number:04}": self._stretch(number) for number in range(accounts)}
        self._instances = {appkey: _listed(instances, entries, stretch) for appkey, stretch in self._stretches.items()}

    def _stretch(self, number: int) -> Stretch:
        return Stretch(self._entries, number * self._each, (number + 1) * self._each)

    @property
    def appkeys(self) -> list[str]:
        """One for each account."""
        return list(self._stretches)

    def answer(self, method: str, target: str) -> bytes:
        """The body of the answer to a request; `target` is its path and query."""
        path, _, query = target.partition("?")
        words = dict(parse_qsl(query))
        if path == "/again":
            return self._again(words)
        called = _CALL.fullmatch(path)
        if called is None or called[1] not in self._stretches:
            return _refused(Kind.DENIED, -3)
        match method, called[2]:
            case "POST", "/tokens":
                return _token(self._clock())
            case "GET", "/images":
                return self._page(self._stretches[called[1]], words)
            case "GET", "/instances-detail":
                return self._instances[called[1]]
            case "DELETE", "/images":
                deleted = self._stretches[called[1]].delete(words.get("id", ""))
                return wire.body() if deleted else _refused(Kind.ABSENT, _ABSENT)
        return _refused(Kind.DENIED, -3)

    def _page(self, stretch: Stretch, words: Mapping[str, str]) -> bytes:
        limit = min(int(words.get("limit", _USUAL_LIMIT)), _USUAL_LIMIT)
        page = stretch.page(words.get("marker"), limit)
        return _refused(Kind.BAD_MARKER, _BAD_MARKER) if page is None else b"".join((OPENING, page, b"]}"))

    def _again(self, words: Mapping[str, str]) -> bytes:
        for number, appkey in enumerate(self._stretches):
            begins = number * self._each + int(words.get("first", 0))
            count = int(words.get("images", self._each))
            self._stretches[appkey] = Stretch(self._entries, begins, begins + count)
        return wire.body()


def _listed(instances: Sequence[tuple[str, bytes]], entries: Entries, stretch: Stretch) -> bytes:
    """The answer that lists the instances whose image is in the stretch."""
    texts = [text for image, text in instances if stretch.first <= entries.places.get(image, -1) < stretch.end]
    return wire.body(instances=[]).replace(b"[]", b"[" + b",".join(texts) + b"]")


def _token(now: datetime) -> bytes:
    form = "%Y-%m-%dT%H:%M:%SZ"
    token = {"id": "t" * 32, "expires": (now + _LIFETIME).strftime(form), "issued_at": now.strftime(form)}
    return wire.body(access={"token": token, "user": {"id": "bench", "roles": []}})


def _refused(kind: Kind, code: int) -> bytes:
    return wire.refusal_body(Refusal(kind, Resource.IMAGE, "no such image, marker or account"), code)
