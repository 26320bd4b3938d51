"""Policies tried on what is recorded."""

import json
import subprocess
import sys

from benchmarks.account import LONG, account
from benchmarks.case import Case, Measure, Tell
from benchmarks.rounds import Measured


def preview(images: int, changed: int) -> Measure:
    """`preview` of policies that delete so many more of these images, beside reading them and deciding once."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(images) as ground:
            tell("preparation")
            ground.run("--dry-run")
            ground.narrow(changed)
            tried = ground.folder / "tried.yaml"
            (ground.folder / "policies.yaml").rename(tried)
            ground.expire_after(LONG)
            ground.run("--dry-run")
            tell(f"{rounds} rounds")
            words = ["-m", "benchmarks.previewed", str(ground.configuration), str(tried), str(rounds)]
            done = subprocess.run(
                [sys.executable, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
            )
            measured = Measured()
            for ratio in json.loads(done.stdout):
                measured.found("preview: CPU ÷ reading and deciding", ratio)
            measured.ran("janitor preview", ground.command("preview", "--policies", str(tried)))
            return measured

    return measure


CASES = (Case("preview", "a snapshot of 10,000 images, of which 200 change", preview(10_000, 200)),)
