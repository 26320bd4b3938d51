"""How servers are reached: the keys `http.proxy`, `http.no_proxy` and `http.ca_file`, and the environment.

A key of a target comes before the same key at the top, and that before the environment: `http_proxy`, `https_proxy` and
`all_proxy` with `no_proxy`, in small letters before capitals, as curl and requests read them; and of certificates
SSL_CERT_FILE with SSL_CERT_DIR, before REQUESTS_CA_BUNDLE, before CURL_CA_BUNDLE. An empty variable counts as unset.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from janitor.cloud.schema import HttpSchema
from janitor.core.names.spelling import SURROGATE
from janitor.documents import Fault, Keys
from janitor.errors import Problem
from janitor.transport.route import NoProxy, Proxy, Route, read_no_proxy, read_proxy
from janitor.transport.trust import Trust, check_file, check_folder, trust_in

T = TypeVar("T")


class Ways:
    """Reads routes, and collects what cannot be used: `faults` of keys, and `problems` of variables.

    Unless it `reads`, files of certificates are left unread: nothing will be sent.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path, *, reads: bool = True) -> None:
        self._reads = reads
        self._environ = environ
        self._folder = folder
        self.faults: list[Fault] = []
        self.problems: dict[str, Problem] = {}

    def top(self, given: HttpSchema) -> Route:
        """The route for everything but targets, which these inherit."""
        proxies = {} if given.proxy is not None else {scheme: self._proxy(scheme) for scheme in ("http", "https")}
        no_proxy = self._first(("no_proxy", "NO_PROXY"), read_no_proxy) if given.no_proxy is None else None
        trust = self._trust() if given.ca_file is None else None
        return self.below(Route(**proxies, no_proxy=no_proxy or NoProxy(), trust=trust or Trust()), given, ("http",))

    def below(self, inherited: Route, given: HttpSchema, keys: Keys) -> Route:
        """The inherited route as changed by these keys."""
        route = inherited
        if given.proxy is not None:
            proxy = self._value((*keys, "proxy"), given.proxy, read_proxy)
            route = replace(route, http=proxy, https=proxy)
        if given.no_proxy is not None:
            no_proxy = self._value((*keys, "no_proxy"), given.no_proxy, read_no_proxy)
            route = replace(route, no_proxy=no_proxy or NoProxy())
        if given.ca_file is not None and self._reads:
            trust = self._value((*keys, "ca_file"), str(self._folder / given.ca_file), trust_in)
            route = replace(route, trust=trust or Trust())
        return route

    def _value(self, keys: Keys, text: str, read: Callable[[str, str], T]) -> T | None:
        try:
            return read(text, ".".join(map(str, keys[-2:])))
        except ValueError as error:
            self.faults.append(Fault(keys, str(error)))
            return None

    def _proxy(self, scheme: str) -> Proxy | None:
        names = [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
        if self._environ.get("REQUEST_METHOD"):
            # A web server passes a header of the request to its programs as HTTP_PROXY.
            names.remove("HTTP_PROXY") if "HTTP_PROXY" in names else None
        return self._first(names, read_proxy)

    def _first(self, names: Iterable[str], read: Callable[[str, str], T]) -> T | None:
        """The value of the first of these variables that is not empty."""
        name = next((name for name in names if self._environ.get(name, "").strip()), None)
        return None if name is None else self._of(name, read)

    def _of(self, name: str, read: Callable[[str, str], T]) -> T | None:
        try:
            if SURROGATE.search(self._environ[name]):
                raise ValueError("is not UTF-8 text")
            return read(self._environ[name].strip(), name)
        except ValueError as error:
            self.problems[name] = Problem(name, None, str(error))
            return None

    def _trust(self) -> Trust | None:
        file, folders = self._environ.get("SSL_CERT_FILE"), self._environ.get("SSL_CERT_DIR")
        if not file and not folders:
            return self._first(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), trust_in)
        found = Trust()
        if file:
            found = self._of("SSL_CERT_FILE", _file) or found
        if folders:
            in_folders = self._of("SSL_CERT_DIR", _folders) or Trust()
            origin = " and ".join(filter(None, (found.origin, in_folders.origin)))
            found = replace(found, folders=in_folders.folders, origin=origin)
        return found


def _file(path: str, origin: str) -> Trust:
    check_file(path)
    return Trust(path, (), origin)


def _folders(paths: str, origin: str) -> Trust:
    folders = tuple(filter(None, paths.split(os.pathsep)))
    for folder in folders:
        check_folder(folder)
    return Trust(None, folders, origin)
