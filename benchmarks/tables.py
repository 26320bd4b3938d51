"""The measurements as plain tables of at most 100 columns, and the targets beside the measured figures."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from benchmarks.processes import Spent
from benchmarks.trials import Deletions, Scan, Start, Surveys, Together

_KIB = 1024
Row = Sequence[str]


def table(heading: Row, rows: Iterable[Row], texts: int) -> str:
    """Rows under a heading: the first `texts` columns to the left, the figures to the right."""
    every = [heading, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(heading))]
    lines = [_line(row, widths, texts) for row in every]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _line(row: Row, widths: Sequence[int], texts: int) -> str:
    cells = (
        f"{cell:<{width}}" if column < texts else f"{cell:>{width}}"
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells)


def surveys_table(every: Iterable[Surveys]) -> str:
    """The cost of each dry run beside that of the bare loop over the same list."""
    heading = ("images", "a page", "process", "planned", "wall s", "x bare", "CPU s", "peak MiB", "db KiB", "KiB/run")
    return table(heading, (row for fleet in every for row in _survey_rows(fleet)), 3)


def _survey_rows(fleet: Surveys) -> Iterator[Row]:
    place = (f"{fleet.images:,}", f"{fleet.latency} ms")
    yield (*place, "bare loop", "", *_costs(fleet.bare, fleet.bare), "", "")
    yield (*place, "first run", f"{fleet.planned:,}", *_costs(fleet.first, fleet.bare), _kib(fleet.size), "")
    growth = f"{fleet.growth / _KIB:.1f}"
    yield (*place, "unchanged", f"{fleet.planned:,}", *_costs(fleet.again, fleet.bare), _kib(fleet.size_again), growth)
    refused = (f"{fleet.planned_refused:,}", *_costs(fleet.refused, fleet.bare), _kib(fleet.size_refused), "")
    yield (*place, "refused", *refused)


def _costs(spent: Spent, bare: Spent) -> Row:
    return f"{spent.wall:.2f}", f"{spent.wall / bare.wall:.2f}", f"{spent.cpu:.2f}", f"{spent.peak:.0f}"


def _kib(size: int) -> str:
    return f"{size / _KIB:,.0f}"


def deletions_table(every: Iterable[Deletions]) -> str:
    """The cost of live runs."""
    heading = ("images", "deleted", "at once", "wall s", "of it deleting s", "CPU s", "peak MiB", "db KiB")
    rows = (
        (
            f"{run.images:,}",
            f"{run.deleted:,}",
            str(run.at_once),
            f"{run.spent.wall:.2f}",
            f"{run.deleting:.2f}",
            f"{run.spent.cpu:.2f}",
            f"{run.spent.peak:.0f}",
            _kib(run.size),
        )
        for run in every
    )
    return table(heading, rows, 0)


def figures_table(
    fleets: Sequence[Surveys], runs: Sequence[Deletions], start: Start, scan: Scan, usage: Together
) -> str:
    """The targets, each with the measured figure, or a dash where this pass did not measure it."""
    rows = (
        ("100,000 images, 100 ms a page: wall time, x bare loop", _wall(fleets, 100_000, 100), "at most 1.4"),
        ("10,000 images, no latency: wall time, x bare loop", _wall(fleets, 10_000, 0), "at most 4"),
        ("100,000 images: peak memory, MiB", _peak(fleets, 100_000), "under 400"),
        ("100,000 images, no latency: CPU time, x that at 10,000", _growth_of_cpu(fleets), "at most 12"),
        ("10,000 unchanged images: growth of the database, KiB a run", _growth(fleets, 10_000), "under 8"),
        ("500 deletions at 100 ms: wall time, one at a time x default", _speedup(runs), "at least 3.5"),
        (f"{scan.mib} MiB of references, 10,000 images: wall time, x bare pass", f"{scan.ratio:.2f}", "at most 1.5"),
        ("all sources of usage at 100 ms a request: wall time, x slowest", f"{usage.ratio:.2f}", "about 1"),
        ('janitor --version: wall time, x python -c "import click"', _ratio(start.version, start.click), "at most 2"),
    )
    return table(("figure", "measured", "to reach"), ((name, value or "-", goal) for name, value, goal in rows), 1)


def _fleet(fleets: Iterable[Surveys], images: int, latency: int) -> Surveys | None:
    return next((fleet for fleet in fleets if (fleet.images, fleet.latency) == (images, latency)), None)


def _ratio(spent: Spent, to: Spent) -> str:
    return f"{spent.wall / to.wall:.2f}"


def _wall(fleets: Iterable[Surveys], images: int, latency: int) -> str | None:
    """The wall time of the slower of the first and the unchanged run."""
    fleet = _fleet(fleets, images, latency)
    if fleet is None:
        return None
    return _ratio(max(fleet.first, fleet.again, key=lambda spent: spent.wall), fleet.bare)


def _peak(fleets: Iterable[Surveys], images: int) -> str | None:
    """The highest peak, including that of the run over the limits."""
    peaks = [run.peak for f in fleets if f.images == images for run in (f.first, f.again, f.refused)]
    return f"{max(peaks):.0f}" if peaks else None


def _growth_of_cpu(fleets: Sequence[Surveys]) -> str | None:
    """Of the first run or the unchanged one, whichever grows more."""
    small, large = _fleet(fleets, 10_000, 0), _fleet(fleets, 100_000, 0)
    if small is None or large is None:
        return None
    return f"{max(large.first.cpu / small.first.cpu, large.again.cpu / small.again.cpu):.1f}"


def _growth(fleets: Iterable[Surveys], images: int) -> str | None:
    growths = [fleet.growth for fleet in fleets if fleet.images == images]
    return f"{max(growths) / _KIB:.1f}" if growths else None


def _speedup(runs: Iterable[Deletions]) -> str | None:
    walls: dict[bool, list[float]] = {True: [], False: []}
    for run in runs:
        walls[run.at_once == 1].append(run.spent.wall)
    return f"{median(walls[True]) / median(walls[False]):.2f}" if all(walls.values()) else None
