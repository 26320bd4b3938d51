"""Live runs: what a deletion costs, and how much faster several are at once."""

from datetime import datetime

from benchmarks.account import Account, account
from benchmarks.case import Case, Measure, Tell
from benchmarks.processes import Spent
from benchmarks.rounds import Measured, in_rounds

_DELETED = "FROM deletions WHERE outcome = 'deleted'"


def each(images: int, count: int) -> Measure:
    """The CPU time of a live run for each image that it deleted, whole and beyond that of a dry run."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(images) as ground:
            _prepare(ground, images, count, tell)

            def once(measured: Measured) -> None:
                measured.ran("bare loop", ground.bare_loop())
                dry = measured.ran("dry run", _anew(ground, images, "--dry-run"))
                live = measured.ran(f"live run, about {count:,} deletions", _anew(ground, images))
                milliseconds = 1000 / _deleted(ground)
                measured.found("each, beyond a dry run: CPU", (live.cpu - dry.cpu) * milliseconds)
                measured.found("each, of the whole run: CPU", live.cpu * milliseconds)

            return in_rounds(rounds, once, tell)

    return measure


def at_once(images: int, count: int, latency: int) -> Measure:
    """How long deletions take one at a time, from the first request to the last answer, beside the default number."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(images, latency) as ground:
            _prepare(ground, images, count, tell)

            def once(measured: Measured) -> None:
                ground.configure(concurrency={"deletions": 1})
                measured.ran("live run, deletions one at a time", _anew(ground, images))
                singly = _deleting_for(ground)
                ground.configure(concurrency={})
                measured.ran("live run, deletions as by default", _anew(ground, images))
                measured.found("one at a time: wall ÷ default", singly / _deleting_for(ground))

            return in_rounds(rounds, once, tell)

    return measure


def _prepare(ground: Account, images: int, count: int, tell: Tell) -> None:
    tell("preparation")
    _anew(ground, images, "--dry-run")
    ground.narrow(count)
    ground.configure(mode="delete")


def _anew(ground: Account, images: int, *options: str) -> Spent:
    ground.forget()
    ground.cloud.again(0, images)
    return ground.run(*options)


def _deleted(ground: Account) -> int:
    (deleted,) = ground.query(f"SELECT count(*) {_DELETED}")
    if not deleted:
        raise RuntimeError("the live run deleted nothing")
    return int(deleted)


def _deleting_for(ground: Account) -> float:
    """Seconds from the first request to the last answer, by the journal."""
    first, last = ground.query(f"SELECT min(requested_at), max(answered_at) {_DELETED}")
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


CASES = (
    Case("deletions", "2,500 deletions, no latency", each(5_000, 2_500)),
    Case("deletions-at-once", "500 deletions, 100 ms a request", at_once(2_000, 500, 100), by_itself=True),
)
