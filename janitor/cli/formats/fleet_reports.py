"""What the commands of a fleet print that look at it, and change nothing."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.report.fleet.status import FleetState


def _status_in_words(state: "FleetState", zone: tzinfo, whole: bool) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.fleet.status import status_page

    print_out(status_page(state, zone, whole=whole))


def _status_as_json(state: "FleetState", _zone: tzinfo, _whole: bool) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.fleet.status import status_json

    print_pieces(status_json(state))


STATUS: Mapping[Format, Callable[["FleetState", tzinfo, bool], None]] = {
    Format.TEXT: _status_in_words,
    Format.JSON: _status_as_json,
}
"""How a fleet stands."""
