"""What must hold of some nights of a fleet, whatever happened to its workers: each rule reads the record alone."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.fleet.nights.record import Mishap, Record, Said, Taking

Rule = Callable[[Record, Counter[str]], Iterator[str]]

CONFIRMED_FOR = 2.0
"""For how many seconds the answer holds that an account is still a worker's, by its own promise."""
_LATENCY = 2.0
"""How much later a busy host may note what was done before."""
_TOLD_ONCE = ("ANNOUNCED", "DELETED", "GONE", "REMINDED")


def breaches(record: Record, counts: Counter[str]) -> list[str]:
    """Every breach of every rule, in a sentence; what was met is counted."""
    return [f"{rule.__name__}: {breach}" for rule in RULES for breach in rule(record, counts)]


def the_expired_are_gone(record: Record, counts: Counter[str]) -> Iterator[str]:
    """Every image that expired is deleted once it can be, and nothing else is."""
    asked = {(each.account, each.image) for each in record.deletions}
    counts["expired images that are gone"] += len(record.expired - record.left)
    for account, image in sorted(record.expired & record.left):
        yield f"{account}: {image} expired, and is there"
    for account, image in sorted(record.guarded & asked):
        yield f"{account}: {image} must stay, and its deletion was requested"


def nobody_deletes_who_was_superseded(record: Record, counts: Counter[str]) -> Iterator[str]:
    """No deletion is sent under an epoch that is no longer its account's, but for those in flight at that moment."""
    takings = _by_account(record)
    late: Counter[tuple[str, int]] = Counter()
    for sent in record.deletions:
        known = takings.get(sent.account, [])
        own = [taken for taken in known if taken.worker == sent.sender and taken.at <= sent.arrived]
        if not own:
            yield f"{sent.account}: {sent.sender} deletes {sent.image}, and never had the account"
            continue
        following = [taken for taken in known if taken.epoch > own[-1].epoch and taken.at < sent.arrived]
        if not following:
            continue
        late[sent.account, own[-1].epoch] += 1
        after, allowed = sent.arrived - following[0].at, _in_flight(record, sent.sender, following[0].at)
        if after > allowed:
            yield (
                f"{sent.account}: {sent.sender} deletes {sent.image} {after:.1f} s after {following[0].worker} took it"
            )
    for (account, epoch), number in late.items():
        counts["deletions in flight when their epoch ended"] += number
        if number > record.most_at_once:
            yield f"{account}: {number} deletions under epoch {epoch} after it ended, of which a run has " + (
                f"{record.most_at_once} in flight"
            )


def journals_are_what_was_requested(record: Record, counts: Counter[str]) -> Iterator[str]:
    """Every deletion that the server saw has one entry in the journal; an answered entry, one that the server saw."""
    seen = Counter((each.account, each.image) for each in record.deletions)
    entries = Counter((each.account, each.image) for each in record.journal)
    answered = Counter((each.account, each.image) for each in record.journal if each.answered)
    killed = sum(each.kind == "killed" for each in record.mishaps)
    for account, image in sorted(seen - entries):
        yield f"{account}: {image} was requested {seen[account, image]} times, and that is not in the journal"
    for account, image in sorted(answered - seen):
        yield f"{account}: the journal has an answer to the deletion of {image}, which was not requested"
    unsent = (entries - seen).total()
    counts["deletions"] += seen.total()
    counts["entries whose request was never sent"] += unsent
    if unsent > killed * record.most_at_once * 2:
        yield f"{unsent} entries were never requested, and {killed} workers were killed"


def every_account_has_an_outcome(record: Record, counts: Counter[str]) -> Iterator[str]:
    """Of every night every account has one row, which says that it ended."""
    rows = Counter((night, account) for night, account, _ in record.rows)
    counts["outcomes"] += len(rows)
    for night in record.nights:
        for account in record.accounts:
            if rows[night, account] != 1:
                yield f"night {night}: {account} has {rows[night, account]} outcomes"
    for night, account, state in record.rows:
        counts[f"outcomes, {state}"] += 1
        if state not in ("done", "failed"):
            yield f"night {night}: {account} is {state}"


def reports_of_nights_are_true(record: Record, counts: Counter[str]) -> Iterator[str]:
    """The report of each night names all accounts, and all together say of as many images as are gone that they are."""
    counts["reports of nights"] += len(record.reported)
    for report in record.reported:
        if sorted(report.accounts) != sorted(record.accounts):
            yield f"night {report.night}: its report names {len(report.accounts)} of {len(record.accounts)} accounts"
    gone = {(each.account, each.image) for each in record.deletions} - record.left
    told = sum(report.deleted for report in record.reported)
    if record.reported and told != len(gone):
        yield f"{told} images were deleted by the reports of all nights, and {len(gone)} are gone"


def outcomes_are_written_by_the_owner(record: Record, counts: Counter[str]) -> Iterator[str]:
    """A row only changes by who has the account in its epoch, which never decreases; what has ended stays."""
    owners = {(taken.account, taken.epoch): taken.worker for taken in record.takings}
    before: dict[tuple[str, str], tuple[int, str]] = {}
    for row in record.written:
        epoch, state = before.get((row.night, row.account), (0, "queued"))
        before[row.night, row.account] = row.epoch, row.state
        where = f"night {row.night}: {row.account}"
        if row.epoch < epoch:
            yield f"{where}: epoch {row.epoch} after {epoch}, by {row.by}"
        if state in ("done", "failed"):
            yield f"{where}: {row.state} after it was {state}, by {row.by}"
        queued = state == row.state == "queued"  # a worker that has the shard may say why it does not take it
        if not queued and row.epoch and owners.get((row.account, row.epoch)) != row.by:
            yield f"{where}: {row.state} in epoch {row.epoch} by {row.by}, which is not its owner"
    counts["changes of outcomes"] += len(record.written)


def jobs_are_ended_by_who_has_them(record: Record, counts: Counter[str]) -> Iterator[str]:
    """A job is ended only by the worker that carries it out."""
    counts["jobs ended"] += len(record.ended)
    for job in record.ended:
        if job.by != job.carried_out_by:
            yield f"{job.account}: {job.by} ended the job that {job.carried_out_by or 'nobody'} carried out"


def nobody_is_told_twice(record: Record, counts: Counter[str]) -> Iterator[str]:
    """The same is said of an image in one message, but where its sender was killed before it knew of that.

    Where it was killed before the notice had begun, the next run announces it again.
    """
    takings, again = _by_account(record), set[int]()
    for (account, image, fate), said in sorted(_told(record).items()):
        counts[f"told {fate.lower()}"] += 1
        for first, second in pairwise({each.run: each for each in said}.values()):
            if fate == "ANNOUNCED" and _died_meanwhile(record, takings.get(account, []), first):
                counts["announced again after a death"] += 1
            else:
                yield f"{account}: runs {first.run} and {second.run} say that {image} is {fate.lower()}"
        for first, second in _repeated(said):
            again.add(second.message)
            if not _died_meanwhile(record, takings.get(account, []), first):
                yield f"{account}: run {first.run} says twice that {image} is {fate.lower()}"
    counts["messages that were sent again"] += len(again)


def no_worker_ends_by_itself(record: Record, counts: Counter[str]) -> Iterator[str]:
    """A worker outlives whatever is done to others and to PostgreSQL."""
    counts.update(Counter(f"workers {each.kind}" for each in record.mishaps))
    yield from record.crashed


def all_is_told(record: Record, counts: Counter[str]) -> Iterator[str]:
    """Every image that is gone was announced, and told of as deleted."""
    told = defaultdict(set)
    for each in record.said:
        told[each.account, each.image].add(each.fate)
    for account, image in sorted({(each.account, each.image) for each in record.deletions} - record.left):
        counts["deleted and told of"] += 1
        if missing := {"ANNOUNCED", "DELETED"} - told[account, image]:
            yield f"{account}: {image} is gone, and nobody was told: {sorted(missing)}"


RULES: tuple[Rule, ...] = (
    the_expired_are_gone,
    nobody_deletes_who_was_superseded,
    journals_are_what_was_requested,
    every_account_has_an_outcome,
    reports_of_nights_are_true,
    outcomes_are_written_by_the_owner,
    jobs_are_ended_by_who_has_them,
    nobody_is_told_twice,
    all_is_told,
    no_worker_ends_by_itself,
)


def _by_account(record: Record) -> dict[str, list[Taking]]:
    found = defaultdict(list)
    for taken in sorted(record.takings, key=lambda taken: taken.epoch):
        found[taken.account].append(taken)
    return found


def _in_flight(record: Record, worker: str, superseded: float) -> float:
    """For how long after it was superseded a request of a worker can still arrive: longer if it was stopped then."""
    stops = [each for each in record.mishaps if each.worker == worker and each.kind == "stopped"]
    until = [stop.ended for stop in stops if stop.began - CONFIRMED_FOR <= superseded <= stop.ended + CONFIRMED_FOR]
    return max((end - superseded for end in until), default=0.0) + CONFIRMED_FOR


def _told(record: Record) -> dict[tuple[str, str, str], list[Said]]:
    found = defaultdict(list)
    for each in sorted(record.said, key=lambda said: said.message):
        if each.fate in _TOLD_ONCE:
            found[each.account, each.image, each.fate].append(each)
    return found


def _repeated(said: list[Said]) -> Iterator[tuple[Said, Said]]:
    """Each pair of messages that say the same, as the same page of a report."""
    last: dict[tuple[int, int, bool], Said] = {}
    for each in said:
        key = each.run, each.page, each.settled
        if key in last and last[key].message != each.message:
            yield last[key], each
        last[key] = each


def _died_meanwhile(record: Record, takings: list[Taking], first: Said) -> bool:
    """Whether the worker that had the account was killed just after a message of it was accepted."""
    place = bisect_right([taken.at for taken in takings], first.at)
    owners = {taken.worker for taken in takings[max(place - 2, 0) : place + 1]}
    return any(_is_death(each, owners, first.at) for each in record.mishaps)


def _is_death(mishap: Mishap, owners: set[str], at: float) -> bool:
    return mishap.kind == "killed" and mishap.worker in owners and -1 <= mishap.began - at <= _LATENCY
