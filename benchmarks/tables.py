"""The measurements as plain tables of at most 120 columns, and what to reach beside the measured figures."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.processes import Spent
from benchmarks.recorded import Recorded
from benchmarks.rounds import Measured, Spread, costs, spread

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
    return "  ".join(cells).rstrip()


def figures_table(recorded: Sequence[Recorded], measured: Mapping[str, Measured]) -> str:
    """Every recorded figure of these cases as measured, as it was, and as it is to be; a dash for what was not."""
    heading = ("case", "figure", "median", "least–most", "before", "to reach")
    known = [each for each in recorded if each.case in measured]
    return table(heading, (_figure(each, measured[each.case].figures.get(each.figure)) for each in known), 2)


def _figure(known: Recorded, found: Sequence[float] | None) -> Row:
    cells = _spread(spread(found), known.digits, known.unit) if found else ("-", "-")
    return (known.case, known.figure, *cells, known.before, known.to_reach)


def processes_table(measured: Mapping[str, Measured]) -> str:
    """The cost of each process, in every case."""
    heading = ("case", "process", "rounds", "wall s", "least–most", "CPU s", "least–most", "peak MiB")
    rows = (
        (case, name, str(len(spent)), *_costs(spent))
        for case, found in measured.items()
        for name, spent in found.processes.items()
    )
    return table(heading, rows, 2)


def _costs(every: Sequence[Spent]) -> Row:
    wall, cpu, peak = costs(every)
    return (*_spread(wall, 2), *_spread(cpu, 2), f"{peak.median:.0f}")


def _spread(found: Spread, digits: int, unit: str = "") -> tuple[str, str]:
    """The median with its unit, and the extremes."""
    return f"{found.median:.{digits}f} {unit}".rstrip(), f"{found.least:.{digits}f}–{found.most:.{digits}f}"
