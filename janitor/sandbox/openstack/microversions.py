"""Microversions: which one a request names, and the headers of its answer, as in Nova and Magnum."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from janitor.sandbox.refusals import Kind, Refusal, Resource

Version = tuple[int, int]

_HEADER = "OpenStack-API-Version"
_VERSION = re.compile(r"([1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Microversions:
    """Those of one service, from the `least`, which is also the default, to the `most`.

    Without a `most` there are none: headers are ignored and not sent. `older` is a header of this service only, and
    `malformed` makes its answer to an invalid version.
    """

    service: str
    least: Version
    most: Version | None
    resource: Resource
    older: str | None = None
    malformed: Kind = Kind.MALFORMED

    def asked(self, headers: Mapping[str, str]) -> Version:
        """The version of a request. Raises Refusal for one that is unsupported or invalid."""
        if self.most is None:
            return self.least
        word = self._word(headers)
        if word is None:
            return self.least
        if word == "latest":
            return self.most
        found = _VERSION.fullmatch(word)
        if found is None:
            message = f"API Version String {word} is of invalid format. Must be of format MajorNum.MinorNum."
            raise Refusal(self.malformed, self.resource, message)
        version = int(found[1]), int(found[2])
        if not self.least <= version <= self.most:
            message = f"Minimum is {_text(self.least)} and maximum is {_text(self.most)}."
            raise Refusal(Kind.NOT_ACCEPTABLE, self.resource, f"Version {word} is not supported by the API. {message}")
        return version

    def _word(self, headers: Mapping[str, str]) -> str | None:
        """The requested version; of several services in one header, the part for this one."""
        for part in headers.get(_HEADER.lower(), "").split(","):
            service, _, word = part.strip().partition(" ")
            if service == self.service:
                return word.strip()
        return headers.get(self.older.lower()) if self.older else None

    def headers(self, version: Version) -> dict[str, str]:
        """The headers of an answer in that version."""
        if self.most is None:
            return {}
        told = {_HEADER: f"{self.service} {_text(version)}"}
        if self.older is None:
            return {**told, "Vary": _HEADER}
        return {**told, self.older: _text(version), "Vary": f"{_HEADER}, {self.older}"}


def _text(version: Version) -> str:
    return ".".join(map(str, version))


def compute_microversions(most: str) -> Microversions:
    """Nova's, up to one such as 2.96, or `none`."""
    major, _, minor = most.partition(".")
    newest = None if most == "none" else (int(major), int(minor))
    return Microversions("compute", (2, 1), newest, Resource.INSTANCE, "X-OpenStack-Nova-API-Version")


CLUSTER_MICROVERSIONS = Microversions(
    "container-infra", (1, 1), (1, 11), Resource.CLUSTER, malformed=Kind.NOT_ACCEPTABLE
)
