"""Policies tried on what is recorded."""

import json
import subprocess
import sys

import yaml

from benchmarks.account import LONG, account
from benchmarks.case import Case, Measure, Tell
from benchmarks.processes import spend
from benchmarks.rounds import Measured, in_rounds

_PER = "name:/^(.+)-[0-9]+$/"
_POLICIES = [
    {"name": "stuck", "match": {"status": ["deactivated"]}, "expire": {"after": "20d", "since": "status"}},
    {"name": "golden", "match": {"name": ["golden-*"]}},
    {"name": "ci", "match": {"name": ["ci-*"]}, "expire": {"after": "60d"}, "keep": {"newest": 3, "per": _PER}},
    {"name": "idle", "match": {"name": ["batch-*", "runner-*"]}, "expire": {"after": "45d", "since": "last_used"}},
    {"name": "rest", "match": {"name": "*"}, "expire": {"after": "250d"}, "keep": {"newest": 5, "per": _PER}},
]


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


def backtest(images: int, nights: int, churn: int) -> Measure:
    """`janitor backtest` over so many recorded nights."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(1) as ground:
            tell("preparation")
            policies = ground.folder / "policies.yaml"
            policies.write_text(yaml.safe_dump({"policies": _POLICIES}), encoding="utf-8")
            ground.configure(policies=str(policies))
            (target,) = ground.cloud.appkeys
            words = (str(ground.database), target, *map(str, (images, nights, churn)))
            spend([sys.executable, "-m", "benchmarks.nightly", *words], ground.folder / "made.txt")

            def once(measured: Measured) -> None:
                spent = measured.ran("janitor backtest", ground.command("backtest"))
                measured.found("backtest: wall", spent.wall)
                measured.found("backtest: CPU", spent.cpu)
                measured.found("backtest: peak", spent.peak)

            return in_rounds(rounds, once, tell)

    return measure


CASES = (
    Case("preview", "a snapshot of 10,000 images, of which 200 change", preview(10_000, 200)),
    Case("backtest", "90 nights of 10,000 images, 1 % new and gone in each", backtest(10_000, 90, 100), rounds=3),
)
