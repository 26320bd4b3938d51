"""The JSON of the Compute API v1.0: headers, result codes, images and instances, written as the options say."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from janitor.sandbox.models import StoredImage, StoredInstance
from janitor.sandbox.options import Absent, Booleans, Options, Times
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.texts import ImageTexts, dumped, without_missing
from janitor.sandbox.tokens import Token

_CODES = {
    Kind.DENIED: -3,
    Kind.MALFORMED: -4,
    Kind.UNSUPPORTED: -7,
    Kind.UNREADABLE_BODY: -8,
    Kind.BAD_MARKER: 30400,
    Kind.NOT_ACCEPTABLE: -7,
    Kind.BROKEN: -2,
}
_STATUSES = {Kind.BAD_CREDENTIALS: 401, Kind.FORBIDDEN: 403, Kind.ABSENT: 404, Kind.CONFLICT: 409}
_RANGES = {Resource.INSTANCE: 10000, Resource.IMAGE: 30000, Resource.TOKEN: 50000}
_PHRASES = {
    -2: "UNKNOWN EXCEPTION",
    -3: "Permission denied",
    -4: "Invalid parameters",
    -5: "Nonexistent",
    -6: "Failed to query internal db",
    -7: "Not supported",
    -8: "JSON parsing error",
}
_SUCCESS = {"isSuccessful": True, "resultCode": 0, "resultMessage": "SUCCESS"}
# How every page of images begins.
OPENING = b'{"header":{"isSuccessful":true,"resultCode":0,"resultMessage":"SUCCESS"},"images":['


def body(**parts: object) -> bytes:
    """A successful answer with these parts after its header."""
    return dumped({"header": _SUCCESS, **parts})


def refusal_code(refusal: Refusal, absent: Absent) -> int:
    """The documented code of a refusal."""
    if refusal.kind is Kind.ABSENT and refusal.resource is not Resource.TOKEN and absent is Absent.NONEXISTENT:
        return -5
    code = _CODES.get(refusal.kind)
    return _RANGES[refusal.resource] + _STATUSES[refusal.kind] if code is None else code


def refusal_body(refusal: Refusal, code: int) -> bytes:
    """A refusal in the documented header form."""
    return failure_body(code, str(refusal))


def failure_body(code: int, detail: str) -> bytes:
    """An answer of that code in the documented header form."""
    message = f"{_PHRASES.get(code, 'FAIL')}: {detail}"
    return dumped({"header": {"isSuccessful": False, "resultCode": code, "resultMessage": message}})


def access(token: Token, username: str) -> dict[str, object]:
    """The description of a token; its two times have different formats, as in the vendor's sample."""
    return {
        "token": {"id": token.id, "expires": _zulu(token.expires_at), "issued_at": _fraction(token.issued_at)},
        "user": {"id": username, "roles": [{"name": "project_admin"}]},
    }


class Writer:
    """Writes images and instances as the options say."""

    def __init__(self, options: Options) -> None:
        self._times = options.times
        self._strings = options.booleans is Booleans.STRING
        self._texts = ImageTexts(self.image)

    def images(self, images: Iterable[StoredImage]) -> bytes:
        """The answer that lists these images."""
        return OPENING + self._texts.joined(images) + b"]}"

    def prepare(self, images: Iterable[StoredImage]) -> None:
        """Make the texts of these images now, so that the first survey is served as fast as the next."""
        self._texts.prepare(images)

    def image(self, image: StoredImage) -> dict[str, object]:
        """An image as in the list, its keys in the vendor's order."""
        written: dict[str, object] = {
            "createdAt": self._time(image.created_at, image.id, 0),
            "diskFormat": image.disk_format,
            "id": image.id,
            "isPublic": image.is_public,
            "minDisk": image.min_disk,
            "minRam": image.min_ram,
            "name": image.name,
            "properties": image.properties,
            "protected": image.protected,
            "size": image.size,
            "status": image.status,
            "updatedAt": self._time(image.updated_at, image.id, 1),
        }
        return self._finished(written, image.wire)

    def instance(self, instance: StoredInstance) -> dict[str, object]:
        """An instance as in `instances-detail`."""
        written: dict[str, object] = {
            "addresses": [_address(instance.address)],
            "availabilityZone": instance.zone,
            "flavor": {
                "id": instance.flavor.id,
                "name": instance.flavor.name,
                "cpu": instance.flavor.cpu,
                "ram": instance.flavor.ram,
            },
            "status": instance.status,
            "id": instance.id,
            "name": instance.name,
            "image": instance.image,
            "metadata": instance.metadata,
            "keyName": "platform-team",
            "volumes": {"root": {"size": instance.root_gb, "type": "General SSD"}, "attachments": []},
            "securityGroups": [{"name": "default"}],
            "launchedAt": self._time(instance.launched_at, instance.id, 0),
            "createdAt": self._time(instance.created_at, instance.id, 0),
            "updatedAt": self._time(instance.launched_at, instance.id, 1),
        }
        return without_missing(self._finished(written, instance.wire))

    def brief_instance(self, instance: StoredInstance) -> dict[str, object]:
        """An instance as in `instances`."""
        detail = self.instance(instance)
        return {key: detail[key] for key in ("id", "name", "status") if key in detail}

    def _finished(self, written: dict[str, object], wire: Mapping[str, object]) -> dict[str, object]:
        if self._strings:
            written = {key: _as_strings(value) for key, value in written.items()}
        if wire:
            written = without_missing({**written, **wire})
        return written

    def _time(self, instant: datetime, identity: str, turn: int) -> str:
        match self._times:
            case Times.ZULU:
                return _zulu(instant)
            case Times.FRACTION:
                return _fraction(instant)
            case Times.MIXED:
                return _zulu(instant) if (ord(identity[-1]) + turn) % 2 else _fraction(instant)


def _as_strings(value: object) -> object:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case dict():
            return {key: _as_strings(part) for key, part in value.items()}
        case list():
            return [_as_strings(part) for part in value]
        case _:
            return value


def _address(address: str) -> dict[str, object]:
    third, fourth = address.split(".")[2:]
    mac = f"fa:16:3e:00:{int(third):02x}:{int(fourth):02x}"
    return {"macAddress": mac, "ipAddress": address, "version": 4, "floatingIpAddress": None}


def _zulu(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")[:19] + "Z"


def _fraction(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds")[:26]
