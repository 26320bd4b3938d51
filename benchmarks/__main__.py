"""`python -m benchmarks [CASE...]`: measures these cases, or those that take less than ten minutes in all, and prints.

`help` as a case lists them.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from benchmarks.case import Case
from benchmarks.cases import chosen, listed
from benchmarks.recorded import recorded
from benchmarks.rounds import Measured
from benchmarks.tables import figures_table, processes_table


def main() -> None:
    """Measure, report progress on stderr, and print the tables."""
    cases, rounds = _asked(sys.argv[1:])
    began = time.perf_counter()
    measured = {}
    for case in cases:
        measured[case.name] = case.measure(rounds or case.rounds, lambda step, case=case: _tell(case, step))  # type: ignore[misc]
    print(_report(cases, measured))
    print(f"\n{time.perf_counter() - began:.0f} s in all")


def _asked(words: Sequence[str]) -> tuple[list[Case], int | None]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Figures of the janitor; asserts nothing.",
        epilog=f"cases:\n{listed()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these; help lists them")
    parser.add_argument("--rounds", type=_count, help="instead of the usual number of each case")
    asked = parser.parse_args(words)
    if "help" in asked.cases:
        print(listed())
        parser.exit()
    try:
        return chosen(asked.cases), asked.rounds
    except ValueError as error:
        parser.error(f"{error}; there are:\n{listed()}")


def _count(word: str) -> int:
    if int(word) < 1:
        raise ValueError(word)
    return int(word)


def _report(cases: Sequence[Case], measured: Mapping[str, Measured]) -> str:
    """The tables, each line at most 120 columns wide."""
    return "\n".join(
        (
            "\nFigures: of each, the median of its rounds and its least and most\n",
            figures_table(recorded(), measured),
            "\nWhole processes: of each, the median of its rounds and its least and most\n",
            processes_table(measured),
            "",
            *(f"{case.name}: {case.says}" for case in cases),
        )
    )


def _tell(case: Case, step: str) -> None:
    print(f"measuring {case.name}: {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
