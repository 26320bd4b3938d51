"""The table of renderers for what changed between two runs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.core.replay.differences.between import Difference, Uncompared
    from janitor.core.result import Cost

Found = Sequence["Difference | Uncompared"]


def _text(found: Found, cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.rehearsals.differences.text import differences_page

    print_out(differences_page(found, cost, zone))


def _json(found: Found, cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.rehearsals.differences.rows import differences_json

    print_pieces(differences_json(found, cost))


def _csv(found: Found, _cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines, say
    from janitor.escaping import visible
    from janitor.report.rehearsals.differences.rows import differences_csv
    from janitor.report.rehearsals.differences.text import remarks_by_target

    print_lines(differences_csv(found))
    for remark in remarks_by_target(found):
        say(visible(remark), err=True)


DIFFERENCES: Mapping[Format, Callable[[Found, "Cost | None", tzinfo], None]] = {
    Format.TEXT: _text,
    Format.JSON: _json,
    Format.CSV: _csv,
}
"""What changed between two runs, by target."""
