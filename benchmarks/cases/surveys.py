"""Dry runs over a fleet: the first run and an unchanged one, beside the bare loop over the same list."""

from benchmarks.account import LONG, Account, account
from benchmarks.case import Case, Measure, Tell
from benchmarks.rounds import Measured, in_rounds

BARE, FIRST, UNCHANGED = "bare loop", "first run", "unchanged run"
_PLANNED = 100
_KIB = 1024


def dry_runs(images: int, latency: int = 0, *, targets: int = 1, term: int | None = None) -> Measure:
    """A first and an unchanged run in each round; images expire after `term` hours, or else about a hundred do."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(images, latency, targets) as ground:
            _prepare(ground, term, tell)

            def once(measured: Measured) -> None:
                ground.forget()
                bare = measured.ran(BARE, ground.bare_loop())
                runs = {FIRST: measured.ran(FIRST, ground.run("--dry-run"))}
                size = ground.size()
                runs[UNCHANGED] = measured.ran(UNCHANGED, ground.run("--dry-run"))
                measured.found(f"{UNCHANGED}: growth", (ground.size() - size) / _KIB)
                for name, run in runs.items():
                    measured.found(f"{name}: wall ÷ bare", run.wall / bare.wall)
                    measured.found(f"{name}: CPU ÷ bare", run.cpu / bare.cpu)
                    measured.found(f"{name}: CPU", run.cpu)
                    measured.found(f"{name}: peak", run.peak)

            return in_rounds(rounds, once, tell)

    return measure


def _prepare(ground: Account, term: int | None, tell: Tell) -> None:
    if term is not None:
        ground.expire_after(term)
        return
    tell("preparation")
    ground.run("--dry-run")
    ground.narrow(_PLANNED)


CASES = (
    Case("process-10k", "10,000 images, no latency", dry_runs(10_000)),
    Case("wall-100k", "100,000 images, 100 ms a page", dry_runs(100_000, 100)),
    Case("cpu-100k", "100,000 images, no latency", dry_runs(100_000)),
    Case("targets", "200 targets of 200 images", dry_runs(200 * 200, targets=200, term=LONG)),
    Case("million", "1,000,000 images, 10 ms a page", dry_runs(1_000_000, 10, term=LONG), rounds=1, by_itself=True),
)
