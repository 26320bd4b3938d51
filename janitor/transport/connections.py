"""The connections of a transport: httpcore over our own bounded network, told nothing by the environment."""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from janitor.transport.network import BoundedNetwork

_MOST, _MOST_IDLE, _IDLE_SECONDS = 100, 20, 5.0


class Connections(httpx.BaseTransport):
    """Sends requests over sockets, kept open for the next. Safe to use from several threads at once.

    `verify` is how servers are checked; it is looked at when the first of https is asked.
    """

    def __init__(self, verify: ssl.SSLContext | bool = True) -> None:
        self._verify = verify
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(verify, trust_env=False),
            max_connections=_MOST,
            max_keepalive_connections=_MOST_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=BoundedNetwork(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, of which the head has come. Raises httpx.RequestError."""
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise httpx.UnsupportedProtocol("no URL of http or https", request=request)
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        asked = httpcore.Request(
            request.method,
            target,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = self._pool.handle_request(asked)
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        """Let go of connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._chunks

    def close(self) -> None:
        """Give the connection back, or hang up where the body was not read to its end."""
        if hasattr(self._chunks, "close"):
            self._chunks.close()


_NAMED_ALIKE = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raises the errors of httpcore as those of httpx, which bear the same names."""
    try:
        yield
    except (*_NAMED_ALIKE, httpcore.ProxyError) as error:
        kind: type[httpx.RequestError] = getattr(httpx, type(error).__name__)
        raise kind(str(error)) from error
