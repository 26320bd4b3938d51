"""The marker in the folder of a shard: which shard of which fleet its files are, and which copy of it counts."""

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from janitor.errors import FleetError
from janitor.files import UnusableFile, content_of, sync, text_in, write_durably

NAME = "shard.json"
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Marker:
    """What a folder says of itself. `id` is made with the folder, and known to the fleet's database."""

    fleet: str
    shard: int
    id: str


def read_marker(folder: Path) -> Marker | None:
    """The marker in a folder; None where there is no folder, or none in it. Raises FleetError for one that is none."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        match json.loads(text_in(content_of(path, _LARGEST))):
            case {"fleet": str(fleet), "shard": int(shard), "id": str(identity)} if not isinstance(shard, bool):
                return Marker(fleet, shard, identity)
    except (UnusableFile, ValueError):
        pass
    raise FleetError(f"{path}: it is not a marker of a shard: restore it, or the whole folder, from a copy")


def make_marker(folder: Path, fleet: str, shard: int) -> Marker:
    """The marker of a shard that nobody ever held: the one that is there, or a new one, with its folder.

    It is on disk when this returns. Raises FleetError, also where the folder is one of another shard.
    """
    if (there := read_marker(folder)) is not None:
        if (there.fleet, there.shard) != (fleet, shard):
            raise FleetError(f"{folder / NAME}: {of_another(there, fleet)}")
        return there
    marker = Marker(fleet, shard, str(uuid.uuid4()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / NAME, json.dumps(asdict(marker)).encode() + b"\n")
        sync(folder.parent)
    except OSError as error:
        raise FleetError(f"{folder}: the shard's folder cannot be made: {error.strerror}") from error
    return marker


def of_another(marker: Marker, fleet: str) -> str:
    """Whose files they are, where they are not those that were looked for."""
    return f"these are files of shard {marker.shard}" + ("" if marker.fleet == fleet else " of another fleet")
