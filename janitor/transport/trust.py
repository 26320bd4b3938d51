"""The certificates by which servers are verified."""

import re
import ssl
import stat
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Trust:
    """A file of certificates, folders of them, or both; without either those of the system and of certifi.

    `origin` is the key or variable that names it.
    """

    file: str | None = None
    folders: tuple[str, ...] = ()
    origin: str = ""

    def __str__(self) -> str:
        return f"{', '.join(filter(None, (self.file, *self.folders)))} ({self.origin})"


def trust_in(path: str, origin: str) -> Trust:
    """The certificates of a file, or of a folder where it is one. Raises ValueError where they cannot be used."""
    if Path(path).is_dir():
        check_folder(path)
        return Trust(None, (path,), origin)
    check_file(path)
    return Trust(path, (), origin)


def check_file(path: str) -> None:
    """Raises ValueError where no certificate can be read from a file."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ValueError(f"{path} is not a regular file")
        context = context_of(Trust(path))
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificate") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if not context.cert_store_stats()["x509"]:
        raise ValueError(f"{path} holds no certificate")


def check_folder(path: str) -> None:
    """Raises ValueError where no certificate can be found in a folder."""
    try:
        if any(_HASHED.fullmatch(file.name) for file in Path(path).iterdir()):
            return
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    raise ValueError(f"{path} holds no certificate: name its files with `openssl rehash`")


def context_of(trust: Trust, *, shared: bool = True) -> ssl.SSLContext:
    """The context that verifies a server. Raises OSError if the certificates can no longer be read.

    A `shared` one may also be in use elsewhere, and must not be changed.
    """
    unnamed = replace(trust, origin="")
    return _context(unnamed, _version(trust)) if shared else _context.__wrapped__(unnamed, ())


@lru_cache(maxsize=16)
def _context(trust: Trust, _version: tuple[int, ...]) -> ssl.SSLContext:
    # Reading a system's certificates takes 50 ms, as much as all else that a small target takes.
    if trust.file is None and not trust.folders:
        return _usual()
    # Given a file or a folder, OpenSSL's default certificates are not used.
    context = ssl.create_default_context(cafile=trust.file, capath=trust.folders[0] if trust.folders else None)
    for folder in trust.folders[1:]:
        context.load_verify_locations(capath=folder)
    return context


def _version(trust: Trust) -> tuple[int, ...]:
    """What tells one content of the file from the next; what is in folders is read when it is needed."""
    if trust.file is None:
        return ()
    found = Path(trust.file).stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _usual() -> ssl.SSLContext:
    import certifi  # only when needed: it is a file of 300 KB

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def unchecked() -> ssl.SSLContext:
    """A context that verifies no server."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
