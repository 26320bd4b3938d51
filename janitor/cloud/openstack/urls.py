"""URLs of services: which of them a token may be sent to, how they are told apart, and the version at their end."""

import re
from urllib.parse import SplitResult, urlsplit

_VERSION = r"/v([0-9]+(?:\.[0-9]+)?)"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def unusable(url: str, *, secure: bool) -> str | None:
    """Why a token cannot be sent to a URL, or None where it can."""
    parts = split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "the catalogue has no usable URL for it"
    if secure and parts.scheme == "http":
        return "its URL is http, but the token came by https and is never sent over http"
    return None


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None for text that is not one."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def normalised(url: str, project: str) -> str:
    """A URL as services are compared: without the version at its end and other differences of spelling."""
    parts = split(url)
    if parts is None:
        return url
    host = (parts.hostname or "").rstrip(".")
    usual = parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)
    path = re.sub("//+", "/", parts.path).rstrip("/")
    version = version_at_end(path, project)
    return f"{parts.scheme}://{host}{'' if usual else f':{parts.port}'}{path[: version.start()] if version else path}"


def versioned(url: str, usual: str, project: str) -> str:
    """A service's URL with a version: its own at the end, with or without the project, or else the usual one."""
    url = url.rstrip("/")
    return url if version_at_end(urlsplit(url).path, project) else f"{url}/{usual}"


def unversioned(url: str, project: str = "") -> str:
    """A service's URL without a version at its end, with or without the project."""
    url = url.rstrip("/")
    version = version_at_end(url, project)
    return url[: version.start()] if version else url


def version_at_end(path: str, project: str) -> re.Match[str] | None:
    """The version at the end of a path or URL, with the project after it, if any."""
    own = rf"(?:/(?:AUTH_)?{re.escape(project)})?" if project else ""
    return re.search(rf"{_VERSION}{own}$", path, re.IGNORECASE)
