"""`python -m benchmarks.served IMAGES LATENCY ACCOUNTS`: serves them on loopback until it is stopped.

Prints the port and the appkeys as JSON once it listens. LATENCY is milliseconds a request; those of other connections
are answered meanwhile. `GET /counts` says how many requests there were, and how many of them at once at most.
"""

import asyncio
import gc
import json
import re
import sys
from email.utils import formatdate

from benchmarks.served.accounts import Accounts
from benchmarks.served.fleet import furnished

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_HEAD = "HTTP/1.1 200 OK\r\nDate: {}\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {}\r\n\r\n"


class Counts:
    """The number of requests so far, and of those in hand."""

    def __init__(self) -> None:
        self.requests = self.in_hand = self.most = 0

    def begin(self) -> None:
        """Count a request that has come."""
        self.requests += 1
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)

    def end(self) -> None:
        """Count a request that is answered."""
        self.in_hand -= 1


class Connection(asyncio.Protocol):
    """One client: each of its requests is answered after the latency, and then the next is read."""

    def __init__(self, accounts: Accounts, latency: float, counts: Counts) -> None:
        self._accounts = accounts
        self._latency = latency
        self._counts = counts
        self._received = b""
        self._answering = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Begin to answer once a request is whole."""
        self._received += data
        self._next()

    def _next(self) -> None:
        head, found, rest = self._received.partition(_END)
        if self._answering or not found:
            return
        length = _LENGTH.search(head)
        body = int(length[1]) if length else 0
        if len(rest) >= body:
            self._received = rest[body:]
            self._begin(*head.split(b" ", 2)[:2])

    def _begin(self, method: bytes, target: bytes) -> None:
        if target == b"/counts":
            self._send(json.dumps({"requests": self._counts.requests, "at_once": self._counts.most}).encode())
            return
        self._answering = True
        self._counts.begin()
        words = method.decode(), target.decode()
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._answer, *words)
        else:
            self._answer(*words)

    def _answer(self, method: str, target: str) -> None:
        self._counts.end()
        self._send(self._accounts.answer(method, target))
        self._answering = False
        self._next()

    def _send(self, body: bytes) -> None:
        assert self._transport is not None
        self._transport.writelines((_HEAD.format(formatdate(usegmt=True), len(body)).encode(), body))


async def serve(accounts: Accounts, latency: float) -> None:
    """Serve until the process is stopped; `latency` in seconds."""
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(accounts, latency, counts), "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "appkeys": accounts.appkeys}), flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Make the fleet, and serve it."""
    images, latency, number = (int(word) for word in sys.argv[1:])
    gc.disable()  # nothing here has cycles, and a million images are many objects to look through
    accounts = Accounts(*furnished(images), number)
    gc.freeze()
    asyncio.run(serve(accounts, latency / 1000))


if __name__ == "__main__":
    main()
