"""The way to a server: by which proxy, and by which certificates it is verified. Values only.

Proxies and exceptions mean what they mean to curl and requests: a proxy without a scheme is an HTTP one; in exceptions
a name stands for itself and all names below it, an address or a range for all its spellings, and a port after either
for that port only.
"""

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from janitor.transport.trust import Trust

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_SOCKS = ("socks5", "socks5h")
_INSTALL = "pip install 'image-janitor[socks]'"

_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Proxy:
    """The server to which requests are sent instead of to their own. `origin` is the key or variable that names it."""

    scheme: str
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    origin: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS."""
        return self.scheme in _SOCKS


def read_proxy(text: str, origin: str) -> Proxy:
    """The proxy of this URL. Raises ValueError, whose message does not quote it: it may hold a password."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not the URL of a proxy, like http://proxy:3128") from None
    if scheme not in _PORTS:
        raise ValueError(f"is not a supported kind of proxy: use {', '.join(_PORTS)}")
    if not host or port == 0 or not host.isprintable() or " " in host:
        raise ValueError("names no host, like the one in http://proxy:3128")
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ValueError(f"is a SOCKS proxy, for which a package is missing: {_INSTALL}")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(scheme, host, port or _PORTS[scheme], username, password, origin)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is reached without a proxy: everything, a name and those below it, or a range; perhaps at one port only."""

    everything: bool = False
    name: str = ""
    network: _Network | None = None
    port: int | None = None

    def holds(self, host: str, address: IPv4Address | IPv6Address | None, port: int) -> bool:
        if self.everything:
            return True
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address is not None and address.version == self.network.version and address in self.network
        return host == self.name or host.endswith(f".{self.name}")


@dataclass(frozen=True, slots=True)
class NoProxy:
    """What is reached without a proxy; `text` is as written."""

    text: str = ""
    origin: str = ""
    parts: tuple[_Entry, ...] = ()

    def hold(self, host: str, port: int) -> bool:
        """Whether this server is reached without a proxy."""
        host = host.lower().rstrip(".")
        address = _address(host)
        return any(part.holds(host, address, port) for part in self.parts)


def read_no_proxy(text: str, origin: str) -> NoProxy:
    """The exceptions of a list like `localhost, .example.com, 10.0.0.0/8, [::1]:8080`.

    Raises ValueError for an invalid range.
    """
    words = text.replace(",", " ").split()
    return NoProxy(" ".join(words), origin, tuple(_entry(word.lower()) for word in words))


def _entry(word: str) -> _Entry:
    if word == "*":
        return _Entry(everything=True)
    address, slash, length = word.replace("[", "").replace("]", "").partition("/")
    if slash and _address(address) is not None:
        try:
            return _Entry(network=ip_network(f"{address}/{length}", strict=False))
        except ValueError:
            raise ValueError(f'"{word}" is not a range of addresses, like 10.0.0.0/8') from None
    host, port = _host_and_port(word)
    known = _address(host)
    if known is not None:
        return _Entry(network=ip_network(known), port=port)
    return _Entry(name=host.removeprefix("*").strip("."), port=port)


def _host_and_port(word: str) -> tuple[str, int | None]:
    """The two parts of `host:port`, `[::1]:port`, or of either without a port."""
    if _address(word.strip("[]")) is not None:
        return word.strip("[]"), None
    host, _, port = word.rpartition(":")
    if host and port.isascii() and port.isdigit():
        return host.strip("[]"), int(port[:5])
    return word, None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True, slots=True)
class Route:
    """The proxy for each scheme, the exceptions, and how servers are verified."""

    http: Proxy | None = None
    https: Proxy | None = None
    no_proxy: NoProxy = field(default_factory=NoProxy)
    trust: Trust = field(default_factory=Trust)

    def proxy_for(self, url: str) -> Proxy | None:
        """The proxy for a URL, if any."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            return None
        proxy = self.https if parts.scheme == "https" else self.http
        return None if proxy is None or self.no_proxy.hold(host, port) else proxy

    @property
    def secrets(self) -> frozenset[str]:
        """What no output may show."""
        return frozenset(proxy.password for proxy in (self.http, self.https) if proxy is not None and proxy.password)

    def described(self, url: str | None) -> str:
        """How that URL (None: any URL) is reached, in a phrase; empty if nothing is configured."""
        words = [self._described_proxy(url)] if self.http or self.https else []
        return "; ".join([*words, *([f"certificates of {self.trust}"] if self.trust.origin else [])])

    def _described_proxy(self, url: str | None) -> str:
        if url is not None:
            proxy = self.proxy_for(url)
            if proxy is not None:
                return f"through the proxy {proxy} ({proxy.origin})"
            excepted = f" ({self.no_proxy.origin})" if (self.https if url[:6] == "https:" else self.http) else ""
            return f"without a proxy{excepted}"
        proxies: Iterable[Proxy] = dict.fromkeys(proxy for proxy in (self.https, self.http) if proxy is not None)
        ways = [f"{proxy} ({proxy.origin})" for proxy in proxies]
        but = f", except {self.no_proxy.text} ({self.no_proxy.origin})" if self.no_proxy.parts else ""
        return f"through the proxy {' or '.join(ways)}{but}"
