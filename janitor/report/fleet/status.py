"""How a fleet stands: its latest night, its workers, its queue, its shards, and who has which account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from janitor.core.units import counted, format_duration, in_ranges, iso, iso_or_none, some_of
from janitor.report.json_pieces import json_pieces
from janitor.report.layout import BOLD, TROUBLE, WARNING, Line, Page, Style, line, paragraph
from janitor.report.wording import local_minute, shortened

_MOST = 10
_LONGEST_NAME = 80
_LONGEST_PLACE = 200
_APPLIED = "applied"


@dataclass(frozen=True, slots=True)
class NightState:
    """A night. `states` are the accounts in each state; `troubled`, of those that are done, did not end with 0.

    `tried` are those that ended a dry run last.
    """

    night: date
    begun_at: datetime
    deadline_at: datetime
    summed_up_at: datetime | None
    states: Mapping[str, int]
    troubled: int
    tried: int = 0


@dataclass(frozen=True, slots=True)
class JobState:
    """A job: since when it waits, or when the worker that has it gave its last sign; None where that is not known."""

    account: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A process that works; `silent`: it gave no sign for too long."""

    name: str
    host: str
    shards: tuple[int, ...]
    silent: bool
    draining: bool
    started_at: datetime
    heartbeat_at: datetime


@dataclass(frozen=True, slots=True)
class FreeShard:
    """A shard that no living worker has. `last` is who had it, `place` where its files were then, if it ever had any.

    `candidates` are the living workers that want it and have its files; `queued` the jobs that wait in it. `refused_by`
    are those that live in that place, want it, and do not find its files there.
    """

    shard: int
    last: str | None
    place: str | None
    candidates: tuple[str, ...]
    queued: int
    refused_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnerState:
    """Who took an account last, and how often it was taken."""

    account: str
    shard: int
    worker: str
    epoch: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class FleetState:
    """All of it, at one instant by the clock of PostgreSQL."""

    at: datetime
    shards: int
    night: NightState | None
    queued: int
    oldest: JobState | None
    stalled: Sequence[JobState]
    workers: Sequence[WorkerState]
    free: Sequence[FreeShard]
    owners: Sequence[OwnerState]


def status_page(state: FleetState, zone: tzinfo, *, whole: bool = False) -> Page:
    """How the fleet stands. Long lists are shown with their first entries and the number of others, unless `whole`."""
    return Page(lambda width: _lines(state, zone, width, None if whole else _MOST))


def _lines(state: FleetState, zone: tzinfo, width: int, most: int | None) -> Iterator[Line]:
    yield from _night(state.night, zone, width)
    yield from _queue(state, zone, width, most)
    yield from _workers(state, width, most)
    yield from _shards(state, width, most)
    yield from _owners(state.owners, zone, width, most)


def _night(night: NightState | None, zone: tzinfo, width: int) -> Iterator[Line]:
    if night is None:
        yield from paragraph("No night yet: `janitor fleet enqueue` begins one, or `janitor fleet serve`", width)
        return
    end = f"to be summed up by {local_minute(night.deadline_at, zone)}"
    if night.summed_up_at is not None:
        end = f"summed up {local_minute(night.summed_up_at, zone)}"
    yield from paragraph(f"Night {night.night}, begun {local_minute(night.begun_at, zone)}, {end}", width, 0, BOLD)
    counts = [f"{count:,} {state}" for state, count in night.states.items() if count or state != _APPLIED]
    counts += [f"{night.tried:,} of them a dry run, which deletes nothing"] if night.tried else []
    yield from paragraph(f"{counted(sum(night.states.values()), 'account')}: {', '.join(counts)}", width, 2)
    if night.troubled or night.states.get("failed"):
        need = counted(night.troubled + night.states.get("failed", 0), "account")
        yield from paragraph(f"{need} did not end well: `janitor fleet report` says which", width, 2, TROUBLE)


def _queue(state: FleetState, zone: tzinfo, width: int, most: int | None) -> Iterator[Line]:
    yield line()
    yield from paragraph(f"Queue: {counted(state.queued, 'account')} waiting", width, 0, BOLD)
    if state.oldest is not None:
        name, since = _name(state.oldest.account), state.oldest.since
        ago = "" if since is None else f", for {_span(state.at - since)}, since {local_minute(since, zone)}"
        yield from paragraph(f"the oldest is {name}{ago}", width, 2)
    if state.stalled:
        what = f"{counted(len(state.stalled), 'account')} stalled: a worker that died began it, and nobody went on yet"
        yield from paragraph(what, width, 2, WARNING)
        for job in state.stalled[:most]:
            sign = "" if job.since is None else f", whose last sign was {_span(state.at - job.since)} ago"
            yield from paragraph(f"{_name(job.account)}{sign}", width, 4)
        yield from _more(len(state.stalled), most, width)


def _workers(state: FleetState, width: int, most: int | None) -> Iterator[Line]:
    living = sum(not worker.silent for worker in state.workers)
    draining = sum(worker.draining and not worker.silent for worker in state.workers)
    silent = len(state.workers) - living
    parts = [f"{living:,} living", *([f"{silent:,} silent"] if silent else [])]
    parts += [f"{draining:,} draining"] if draining else []
    yield line()
    yield from paragraph(f"Workers: {', '.join(parts)}", width, 0, BOLD)
    for worker in state.workers[:most]:
        style: Style | None = WARNING if worker.silent else None
        words = [f"shards {in_ranges(worker.shards)}" if worker.shards else "no shard"]
        words += ["draining"] if worker.draining else []
        heard = _span(state.at - worker.heartbeat_at)
        words += [f"SILENT: its last sign was {heard} ago"] if worker.silent else []
        words += [f"started {_span(state.at - worker.started_at)} ago"]
        yield from paragraph(f"{_name(worker.name)}: {', '.join(words)}", width, 2, style)
    yield from _more(len(state.workers), most, width)


def _shards(state: FleetState, width: int, most: int | None) -> Iterator[Line]:
    yield line()
    free = f"{len(state.free):,} with no living worker" if state.free else "each has a living worker"
    yield from paragraph(f"Shards: {state.shards:,}, {free}", width, 0, BOLD)
    entries = [(why_free(shard), shard) for shard in state.free]
    # Shards of one reason together, those first in which accounts wait.
    waiting = {why: sum(shard.queued for known, shard in entries if known == why) for why, _ in entries}
    entries.sort(key=lambda one: (-waiting[one[0]], one[0], one[1].shard))
    groups = [(why, [shard for _, shard in some]) for why, some in groupby(entries, key=lambda one: one[0])]
    for why, some in groups[:most]:
        name = named([shard.shard for shard in some])
        queued = f" ({counted(waiting[why], 'account')} waiting)" if waiting[why] else ""
        yield from paragraph(f"{name}{queued}: {why}", width, 2, WARNING if waiting[why] else None)
    yield from _more(len(groups), most, width)


def why_free(shard: FreeShard) -> str:
    """Why nobody has a shard, and what is to be done, if anything."""
    if shard.candidates:
        names = some_of([_name(name) for name in shard.candidates], 2)
        return f"a worker is about to have it: {names}"
    if shard.place is None:
        return "nobody ever had it, and no living worker wants it: start one that does"
    place = shortened(shard.place, _LONGEST_PLACE)
    nobody = f"no living worker wants it and has its files, which were last in {place}"
    if shard.refused_by:
        names = some_of([_name(name) for name in shard.refused_by], 2)
        return f"{nobody}, where {names} does not find them: its log says why; put them back, or where a worker is"
    return f"{nobody}: start one there that wants it, or move them"


def _owners(owners: Sequence[OwnerState], zone: tzinfo, width: int, most: int | None) -> Iterator[Line]:
    yield line()
    yield from paragraph(f"Owners: {counted(len(owners), 'account')} taken so far", width, 0, BOLD)
    for owner in owners[:most]:
        taken = f"epoch {owner.epoch}, shard {owner.shard}, {_name(owner.worker)}"
        yield from paragraph(f"{_name(owner.account)}: {taken}, {local_minute(owner.taken_at, zone)}", width, 2)
    yield from _more(len(owners), most, width)


def _more(count: int, most: int | None, width: int) -> Iterator[Line]:
    if most is not None and count > most:
        yield from paragraph(f"and {count - most:,} more: --all lists them", width, 2)


def _name(name: str) -> str:
    return shortened(name, _LONGEST_NAME)


def _span(span: timedelta) -> str:
    """A span to the second, or to the minute where it is longer than that."""
    unit = 60 if span >= timedelta(minutes=2) else 1
    return format_duration(timedelta(seconds=max(span.total_seconds(), 0) // unit * unit)) if span >= _SHORT else "0s"


_SHORT = timedelta(seconds=1)


def named(shards: Sequence[int]) -> str:
    """Some shards in order, as in a sentence: `shard 3`, `shards 0-3, 8`."""
    return f"shard{'s' if len(shards) > 1 else ''} {in_ranges(shards)}"


def status_json(state: FleetState) -> Iterator[str]:
    """The same for programs, all of it: times in UTC."""
    return json_pieces(
        {
            "at": iso(state.at),
            "night": None if state.night is None else _night_facts(state.night),
            "queue": {
                "queued": state.queued,
                "oldest": None if state.oldest is None else _job(state.oldest),
                "stalled": [_job(job) for job in state.stalled],
            },
            "workers": (
                {
                    "worker": each.name,
                    "host": each.host,
                    "shards": list(each.shards),
                    "silent": each.silent,
                    "draining": each.draining,
                    "started_at": iso(each.started_at),
                    "heartbeat_at": iso(each.heartbeat_at),
                }
                for each in state.workers
            ),
            "shards": state.shards,
            "free_shards": (
                {
                    "shard": each.shard,
                    "last_worker": each.last,
                    "place": each.place,
                    "candidates": list(each.candidates),
                    "refused_by": list(each.refused_by),
                    "queued": each.queued,
                    "why": why_free(each),
                }
                for each in state.free
            ),
            "owners": (
                {
                    "account": each.account,
                    "shard": each.shard,
                    "worker": each.worker,
                    "epoch": each.epoch,
                    "taken_at": iso(each.taken_at),
                }
                for each in state.owners
            ),
        }
    )


def _night_facts(night: NightState) -> dict[str, object]:
    return {
        "night": night.night.isoformat(),
        "begun_at": iso(night.begun_at),
        "deadline_at": iso(night.deadline_at),
        "summed_up_at": iso_or_none(night.summed_up_at),
        "accounts": dict(night.states),
        "done_with_trouble": night.troubled,
        "dry_runs": night.tried,
    }


def _job(job: JobState) -> dict[str, object]:
    return {"account": job.account, "since": iso_or_none(job.since)}
