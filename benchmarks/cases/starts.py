"""What is spent before anything is done: interpreter, imports, configuration."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.account import account
from benchmarks.case import Case, Tell
from benchmarks.processes import JANITOR, spend
from benchmarks.rounds import Measured, in_rounds

_BARE = [sys.executable, "-c", "pass"]
_CLICK = [sys.executable, "-c", "import click"]


def imports(rounds: int, tell: Tell) -> Measured:
    """`janitor run` up to the moment at which it would begin, and whole over an account without images."""
    with account(1) as ground:
        ground.cloud.again(0, 0)
        output = ground.folder / "output.txt"
        until = [sys.executable, "-m", "benchmarks.until_run", str(ground.configuration)]

        def once(measured: Measured) -> None:
            ground.forget()
            measured.ran("python -c pass", spend(_BARE, output))
            begun = measured.ran("janitor run, until it would begin", spend(until, output))
            measured.ran("janitor run, no images", ground.run("--dry-run"))
            measured.found("until the run: CPU", begun.cpu)

        return in_rounds(rounds, once, tell)


def version(rounds: int, tell: Tell) -> Measured:
    """`janitor --version` beside python and click, which it cannot do without."""
    with TemporaryDirectory(prefix="janitor-bench-") as folder:
        output = Path(folder, "output.txt")

        def once(measured: Measured) -> None:
            click = measured.ran('python -c "import click"', spend(_CLICK, output))
            said = measured.ran("janitor --version", spend([JANITOR, "--version"], output))
            measured.found("janitor --version: CPU ÷ click", said.cpu / click.cpu)

        return in_rounds(rounds, once, tell)


CASES = (
    Case("imports", "the start of `janitor run`", imports),
    Case("version", "the start of `janitor --version`, beside python with click", version),
)
