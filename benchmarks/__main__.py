"""`python -m benchmarks [CASE...]`: measures these cases, or those that take less than ten minutes in all, and prints.

`help` as a case lists them.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from subprocess import CalledProcessError

from benchmarks.case import Case
from benchmarks.cases import CASES, chosen, listed
from benchmarks.recorded import recorded
from benchmarks.rounds import Measured
from benchmarks.tables import figures_table, processes_table


def main(words: Sequence[str]) -> None:
    """Measure, report progress on stderr, and print the tables; exits with 1 where a case failed, after all others."""
    names, rounds = _asked(words)
    cases = chosen(names)
    left_out = [] if names else [case for case in CASES if case.by_itself]
    began = time.perf_counter()
    measured = {case.name: _measured(case, rounds or case.rounds) for case in cases}
    print(_report(cases, {name: found or Measured() for name, found in measured.items()}, left_out))
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    sys.exit(1 if None in measured.values() else 0)


def _measured(case: Case, rounds: int) -> Measured | None:
    try:
        return case.measure(rounds, partial(_tell, case))
    except (RuntimeError, CalledProcessError) as error:
        _tell(case, f"it failed: {error}")
        return None


def _asked(words: Sequence[str]) -> tuple[list[str], int | None]:
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
        chosen(asked.cases)
    except ValueError as error:
        parser.error(f"{error}; there are:\n{listed()}")
    return asked.cases, asked.rounds


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of rounds: 1 or more")
    return int(word)


def _report(cases: Sequence[Case], measured: Mapping[str, Measured], left_out: Sequence[Case]) -> str:
    """The tables, each line at most 120 columns wide; with a dash for each figure of what was left out."""
    return "\n".join(
        (
            "\nFigures: of each, the median of its rounds and its least and most\n",
            figures_table(recorded(), {**measured, **{case.name: Measured() for case in left_out}}),
            "\nbefore: on the same machine; to reach: the goal; bare: the simplest loop that reads the list",
            "\nWhole processes: of each, the median of its rounds and its least and most\n",
            processes_table(measured),
            "",
            *(f"{case.name}: {case.says}" for case in cases),
            *(f"{case.name}: {case.says}; takes long: make bench CASE={case.name}" for case in left_out),
        )
    )


def _tell(case: Case, step: str) -> None:
    print(f"measuring {case.name}: {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
