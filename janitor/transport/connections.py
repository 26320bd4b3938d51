"""The connections of a transport: httpcore over our own bounded network, independent of the environment."""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from janitor.transport.lean_httpx import httpx
from janitor.transport.network import HAS_READ, BoundedNetwork
from janitor.transport.route import Proxy, Route
from janitor.transport.trust import Trust, context_of, unchecked

STREAM = "network_stream"
"""The extension of an answer that holds its connection."""

_MOST, _MOST_IDLE, _IDLE_SECONDS = 100, 20, 5.0


class Connections(httpx.BaseTransport):
    """Sends requests over sockets, kept open for the next. Safe to use from several threads at once.

    `verify` is how servers are verified: as the route says, by this context, or not at all.
    """

    def __init__(self, route: Route = Route(), verify: ssl.SSLContext | bool = True) -> None:  # noqa: B008 - a value
        self._route = route
        self._verify = verify
        self._pools: dict[tuple[Proxy | None, bool], httpcore.ConnectionPool] = {}
        self._lock = threading.Lock()
        self._network = BoundedNetwork()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, once its head has arrived. Raises httpx.RequestError."""
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise httpx.UnsupportedProtocol("not an http or https URL", request=request)
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
            answer = self._pool(request.url).handle_request(asked)
            _check_its_own(answer)
        assert isinstance(answer.stream, Iterable)
        kept = {STREAM: answer.extensions[STREAM]}
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=kept)

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.close()
        self._network.close()  # httpcore leaves connections open on which a SOCKS proxy failed

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        """The connection pool for URLs like this one. Certificates are read when first needed."""
        proxy, encrypted = self._route.proxy_for(str(url)), url.scheme == "https"
        with self._lock:
            if (proxy, encrypted) not in self._pools:
                self._pools[proxy, encrypted] = self._made(proxy, encrypted=encrypted)
            return self._pools[proxy, encrypted]

    def _made(self, proxy: Proxy | None, *, encrypted: bool) -> httpcore.ConnectionPool:
        limits: dict[str, Any] = {
            "ssl_context": self._context() if encrypted else None,
            "max_connections": _MOST,
            "max_keepalive_connections": _MOST_IDLE,
            "keepalive_expiry": _IDLE_SECONDS,
            "network_backend": self._network,
        }
        if proxy is None:
            return httpcore.ConnectionPool(**limits)
        known = proxy.username or proxy.password
        auth = (proxy.username.encode(), proxy.password.encode()) if known else None
        host = proxy.host.encode("idna").decode() if not proxy.host.isascii() else proxy.host
        url = httpcore.URL(scheme="socks5" if proxy.is_socks else proxy.scheme, host=host, port=proxy.port, target="")
        if proxy.is_socks:
            return httpcore.SOCKSProxy(url, proxy_auth=auth, **limits)
        checked = _checking(self._route.trust) if proxy.scheme == "https" else None
        return httpcore.HTTPProxy(url, proxy_auth=auth, proxy_ssl_context=checked, **limits)

    def _context(self) -> ssl.SSLContext:
        if isinstance(self._verify, ssl.SSLContext):
            return self._verify
        return _checking(self._route.trust) if self._verify else unchecked()


def _check_its_own(answer: httpcore.Response) -> None:
    """Close the connection, and raise RemoteProtocolError, for an answer that came before its request was sent.

    Otherwise, after a server had answered one request twice, each answer would be taken for that of the next request:
    that of a list of images for that of a deletion.
    """
    if not answer.extensions[STREAM].get_extra_info(HAS_READ):
        answer.close()
        raise httpcore.RemoteProtocolError("an answer came before its request")


def _checking(trust: Trust) -> ssl.SSLContext:
    try:
        return context_of(trust)
    except OSError as error:
        raise httpx.ConnectError(f"the certificates of {trust} cannot be read: {error.strerror or error}") from error


class _Body(httpx.SyncByteStream):
    """The body of an answer, as it arrives."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._chunks

    def close(self) -> None:
        """Return the connection to the pool, or close it if the body was not read to its end."""
        if hasattr(self._chunks, "close"):
            self._chunks.close()


try:
    from socksio import SOCKSError
except ImportError:  # then the configuration did not accept a SOCKS proxy

    class SOCKSError(Exception):  # type: ignore[no-redef]
        """Never raised."""


_NAMED_ALIKE = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raises the errors of httpcore as those of httpx, which have the same names."""
    try:
        yield
    except (*_NAMED_ALIKE, httpcore.ProxyError) as error:
        kind: type[httpx.RequestError] = getattr(httpx, type(error).__name__)
        raise kind(str(error)) from error
    except SOCKSError as error:
        raise httpx.ProxyError("the server does not speak SOCKS") from error
