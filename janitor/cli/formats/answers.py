"""The tables of renderers for what commands read: images, runs, exemptions, what waits, what policies own, why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.cli.exemptions import Entry
    from janitor.core.explaining.waiting import Snapshot
    from janitor.core.result import Cost, RunSummary
    from janitor.report.answers.explanation import Explained
    from janitor.report.answers.policies import Owned
    from janitor.report.answers.waiting import WaitingList
    from janitor.report.tables import ImageList


def _text_of_images(seen: "ImageList", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.tables import images_table

    print_out(images_table(seen, zone))


def _json_of_images(seen: "ImageList", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.tables import images_json

    print_pieces(images_json(seen.run, seen.surveys))


def _csv_of_images(seen: "ImageList", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.tables import images_csv

    print_lines(images_csv(seen))


IMAGES: Mapping[Format, Callable[["ImageList", tzinfo], None]] = {
    Format.TEXT: _text_of_images,
    Format.JSON: _json_of_images,
    Format.CSV: _csv_of_images,
}
"""The images that a run saw, by target."""


def _text_of_runs(runs: "Iterable[RunSummary]", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.tables import runs_table

    print_out(runs_table(runs, zone))


def _json_of_runs(runs: "Iterable[RunSummary]", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.tables import runs_json

    print_pieces(runs_json(runs))


RUNS: Mapping[Format, Callable[["Iterable[RunSummary]", tzinfo], None]] = {
    Format.TEXT: _text_of_runs,
    Format.JSON: _json_of_runs,
}
"""Past runs."""


def _text_of_exemptions(entries: "Sequence[Entry]", now: datetime, zone: tzinfo) -> None:
    from janitor.cli.exemptions import text_list
    from janitor.cli.terminal import print_out

    print_out(text_list(entries, now, zone))


def _json_of_exemptions(entries: "Sequence[Entry]", now: datetime, _zone: tzinfo) -> None:
    from janitor.cli.exemptions import json_list
    from janitor.cli.terminal import print_plain

    print_plain(json_list(entries, now))


EXEMPTIONS: Mapping[Format, Callable[["Sequence[Entry]", datetime, tzinfo], None]] = {
    Format.TEXT: _text_of_exemptions,
    Format.JSON: _json_of_exemptions,
}
"""A list of exemptions, as of an instant."""


def _text_of_waiting(lists: "Sequence[WaitingList]", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.answers.waiting import waiting_page

    print_out(waiting_page(lists, cost, zone))


def _json_of_waiting(lists: "Sequence[WaitingList]", cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.answers.waiting import waiting_json

    print_pieces(waiting_json(lists, cost))


def _csv_of_waiting(lists: "Sequence[WaitingList]", _cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.answers.waiting import waiting_csv

    print_lines(waiting_csv(lists))


WAITING: Mapping[Format, Callable[["Sequence[WaitingList]", "Cost | None", tzinfo], None]] = {
    Format.TEXT: _text_of_waiting,
    Format.JSON: _json_of_waiting,
    Format.CSV: _csv_of_waiting,
}
"""The images that wait, by target."""


def _text_of_policies(
    owned: "Sequence[Owned]", snapshots: "Sequence[Snapshot]", cost: "Cost | None", zone: tzinfo
) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.answers.policies import policies_page

    print_out(policies_page(owned, snapshots, cost, zone))


def _json_of_policies(
    owned: "Sequence[Owned]", snapshots: "Sequence[Snapshot]", cost: "Cost | None", _zone: tzinfo
) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.answers.policies import policies_json

    print_pieces(policies_json(owned, snapshots, cost))


def _csv_of_policies(
    owned: "Sequence[Owned]", _snapshots: "Sequence[Snapshot]", cost: "Cost | None", _zone: tzinfo
) -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.answers.policies import policies_csv

    print_lines(policies_csv(owned, cost))


POLICIES: Mapping[Format, Callable[["Sequence[Owned]", "Sequence[Snapshot]", "Cost | None", tzinfo], None]] = {
    Format.TEXT: _text_of_policies,
    Format.JSON: _json_of_policies,
    Format.CSV: _csv_of_policies,
}
"""What policies own, by the latest snapshots."""


def _text_of_explanation(every: "Sequence[Explained]", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.answers.explanation import explanation_page

    print_out(explanation_page(every, zone))


def _json_of_explanation(every: "Sequence[Explained]", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.answers.explanation_json import explanation_json

    print_pieces(explanation_json(every))


EXPLANATION: Mapping[Format, Callable[["Sequence[Explained]", tzinfo], None]] = {
    Format.TEXT: _text_of_explanation,
    Format.JSON: _json_of_explanation,
}
"""Everything known about one image, by target."""
