"""A hundred nights on simulated time: a fleet that people change, faults and crashes at random, and what must hold.

    python -m tests.nights --seeds 500    # many seeds; says what it met, and how to repeat one that breaks a rule
    python -m tests.nights --from 17 --seeds 1

The client, the store, the decisions and the notices are the real ones; the sandbox is reached without sockets, and a
crash is an exception that takes the run away at a random place, leaving the database and the cloud as they are.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import stamina

from janitor.announcing import start_notices
from janitor.cloud import Answer, HttpOptions
from janitor.cloud.toast import ToastClient
from janitor.model import Decision, DeletionOutcome, Exemption, Mode, Outcome, RunResult, Status
from janitor.orders import Site
from janitor.plan import Limits
from janitor.policy import Expire, Family, Keep, Match, Pattern, Policy
from janitor.run import Run
from janitor.sandbox.fault_file import parse_faults
from janitor.sandbox.faults import Faults
from janitor.sandbox.inprocess import in_process
from janitor.sandbox.options import MarkerReading, Options, SortDirection
from janitor.store import Store

NIGHTS = 100
QUIET_NIGHTS = 12
START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TARGET = "prod"

FAULTS = (
    "{fault: http-error, status: 502, probability: 0.3}",
    "{fault: foreign-body, probability: 0.3}",
    "{fault: cut-off-body, probability: 0.3}",
    "{fault: dropped-connection, probability: 0.3}",
    "{fault: delay, delay: 5m, probability: 0.2}",
    "{fault: result-code, code: -1, probability: 0.3}",
    "{fault: result-code, code: -3, probability: 0.1}",
    "{fault: result-code, code: 30409, call: delete-image, probability: 0.5}",
    "{fault: result-code, code: 30404, call: delete-image, probability: 0.3}",
    "{fault: dead-token, probability: 0.1}",
    "{fault: vanished-marker, probability: 0.3}",
    "{fault: repeated-page, probability: 0.3}",
    "{fault: truncated-list, probability: 0.2}",
    "{fault: truncated-list, at: [2, 12]}",
    "{fault: empty-instances}",
    "{fault: deletion-not-done, probability: 0.5}",
    "{fault: deletion-unacknowledged, probability: 0.5}",
    "{fault: clock-off, offset: 10m}",
    "{fault: clock-off, offset: -2m}",
)


class Crash(BaseException):
    """The process is gone from here on."""


class Broken(AssertionError):
    """A rule does not hold."""


@dataclass
class Fuse:
    """Burns down with each step of a run, and crashes it at the end; without a length it never does."""

    length: int | None = None

    def burn(self) -> None:
        if self.length is not None:
            self.length -= 1
            if self.length < 0:
                raise Crash


class FusedStore(Store):
    """A store whose process may be gone before or after each write."""

    fuse = Fuse()

    def _burning(self, name: str, *words: Any, **named: Any) -> Any:
        self.fuse.burn()
        answer = getattr(Store, name)(self, *words, **named)
        self.fuse.burn()
        return answer

    def record_survey(self, *words: Any) -> Any:
        return self._burning("record_survey", *words)

    def record_settlements(self, *words: Any) -> Any:
        return self._burning("record_settlements", *words)

    def record_decisions(self, *words: Any) -> Any:
        return self._burning("record_decisions", *words)

    def end_notices(self, *words: Any) -> Any:
        return self._burning("end_notices", *words)

    def journal_request(self, *words: Any) -> Any:
        return self._burning("journal_request", *words)

    def journal_answer(self, *words: Any) -> Any:
        return self._burning("journal_answer", *words)

    def finish_target(self, *words: Any) -> Any:
        return self._burning("finish_target", *words)

    def finish_run(self, *words: Any) -> Any:
        return self._burning("finish_run", *words)


class FusedClient(ToastClient):
    """A client whose process may be gone before or after each deletion."""

    fuse = Fuse()

    def delete(self, image_id: str) -> Answer:
        self.fuse.burn()
        answer = super().delete(image_id)
        self.fuse.burn()
        return answer


@dataclass
class Nights:
    """One simulated account over many nights, all of it drawn from one seed."""

    seed: int
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.now = START
        choices = Options(
            images=60,
            seed=self.seed,
            page_cap=self.random.choice([7, 20, 1000]),
            marker=self.random.choice(list(MarkerReading)),
            sort=self.random.choice(list(SortDirection)),
        )
        self.cloud, self.carrier = in_process(choices, lambda: self.now)
        self.notice = 2 * DAY
        self.after = 30 * DAY
        self.built = 5000
        self.doubted = False
        self.told: dict[str, list[tuple[datetime, timedelta]]] = {}
        self.path = self.folder / "janitor.db"

    def policies(self) -> list[Policy]:
        stuck = Match(status=frozenset({Status.QUEUED, Status.KILLED}))
        builds = Match(
            name=(Pattern("ci-*"), Pattern("bake-*"), Pattern("nightly-*")),
            status=frozenset({Status.ACTIVE, Status.DEACTIVATED}),
        )
        keep = Keep(Family("name:/^(.+)-[0-9]+$/"), newest=2)
        return [
            Policy("stuck", stuck, Expire(DAY)),
            Policy("builds", builds, Expire(self.after), keep, notice=self.notice),
        ]

    def live(self) -> None:
        """All nights, and then quiet ones; raises Broken where a rule does not hold."""
        for _ in range(NIGHTS):
            self.people()
            self.night(faulty=self.random.random() < 0.5, crash=self.random.random() < 0.15)
        self.cloud.faults = Faults()
        for _ in range(QUIET_NIGHTS):
            self.now += DAY
            result = self.night(accept=True)
        assert result is not None
        self.check_nothing_is_left(result)
        self.check_reports()

    # What people and CI do between two nights.

    def people(self) -> None:
        self.now += DAY + timedelta(minutes=self.random.randint(-20, 20))
        account, draw = self.cloud.account, self.random
        own = [image for image in account.images.values() if not image.is_public]
        for _ in range(draw.randint(1, 3)):
            self.built += 1
            model = draw.choice(own)
            account.put_image(self.build(model))
        if draw.random() < 0.2:
            image = draw.choice(own)
            account.change_image(image.id, protected=not image.protected, updated_at=self.now)
        if draw.random() < 0.3:
            instance = draw.choice(list(account.instances.values()))
            account.change_instance(instance.id, image=draw.choice(own).id)
        if draw.random() < 0.2:
            self.somebody_deletes(draw.choice(own).id)
        if draw.random() < 0.15:
            self.somebody_exempts(draw.choice(own).id)
        if draw.random() < 0.1:
            self.notice = draw.choice([timedelta(), DAY, 2 * DAY, 4 * DAY])
        if draw.random() < 0.05:
            self.after = draw.choice([20 * DAY, 30 * DAY, 40 * DAY])

    def build(self, model: Any) -> Any:
        family = self.random.choice(["ci-web", "bake", "nightly-worker"])
        identity = f"{self.random.getrandbits(128):032x}"
        identity = "-".join((identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:]))
        made = self.now - timedelta(hours=self.random.randint(0, 20))
        status = self.random.choice(["active", "active", "active", "killed", "queued"])
        facts = {"status": status, "protected": False, "wire": {}, "created_at": made, "updated_at": made}
        return replace(model, id=identity, name=f"{family}-{self.built}", **facts)

    def somebody_deletes(self, image: str) -> None:
        if self.cloud.account.is_deletable(image):
            self.cloud.account.remove_image(image)

    def somebody_exempts(self, image: str) -> None:
        with Store.open(self.path) as store:
            until = self.now + timedelta(days=self.random.randint(1, 20))
            store.add_exemptions([(TARGET, Exemption(image, until, "because", "kim"))], self.now)

    # One night.

    def night(self, *, faulty: bool = False, crash: bool = False, accept: bool = False) -> RunResult | None:
        self.cloud.faults = self.some_faults() if faulty else Faults()
        fuse = Fuse(self.random.randint(0, 60) if crash else None)
        guarded, before = self.guarded(), len(self.cloud.requests)
        result = None
        try:
            with self.run_of(fuse, accept=accept or (self.doubted and not faulty)) as run:
                result = run.perform()
        except Crash:
            self.counts["crashes"] += 1
        self.check_requests(guarded, before, crashed=result is None)
        if result is not None:
            self.counts[f"runs {result.outcome}"] += 1
            self.doubted = result.outcome is Outcome.REFUSED
            self.deliver(result)
        return result

    def some_faults(self) -> Faults:
        chosen = self.random.sample(FAULTS, self.random.randint(1, 2))
        self.counts.update(fault.split(",")[0].strip("{} ") for fault in chosen)
        text = f"seed: {self.random.randint(0, 10**6)}\nfaults:\n" + "".join(f"  - {fault}\n" for fault in chosen)
        return parse_faults("faults.yaml", text.encode())

    @contextmanager
    def run_of(self, fuse: Fuse, *, accept: bool) -> Iterator[Run]:
        def connect() -> ToastClient:
            options = HttpOptions(attempts=3, page_size=10)
            chosen = self.cloud.options
            client = FusedClient(
                self.cloud.url,
                chosen.appkey,
                chosen.username,
                chosen.password,
                options,
                clock=lambda: self.now,
                carrier=self.carrier,
            )
            client.fuse = fuse
            return client

        with FusedStore.open(self.path) as store:
            store.fuse = fuse
            yield Run(
                [Site(TARGET, connect)],
                self.policies(),
                store,
                Mode.DELETE,
                Limits(1000, 100),
                deletions_at_once=1,  # so that a seed is repeated exactly; several at once are tested elsewhere
                clock=lambda: self.now,
                accept_survey=accept,
                usage_memory=DAY,
            )

    def deliver(self, result: RunResult) -> None:
        """The channel accepts all messages, or some, or none; what it accepted is what people know."""
        told = [decision for target in result.targets for decision in (*target.announced, *target.reminded)]
        share = self.random.choice([1, 1, 1, 0.5, 0])
        accepted = {d.image.id for d in told if self.random.random() < share}
        for decision in result.targets[0].announced:
            if decision.image.id in accepted:
                self.told.setdefault(decision.image.id, []).append((self.now, self.notice))
        with Store.open(self.path) as store:
            start_notices(store, result, self.policies(), {(TARGET, image) for image in accepted}, self.now)

    # What must hold.

    def guarded(self) -> dict[str, str]:
        """The images that must not be sent a delete tonight, each with the reason."""
        account = self.cloud.account
        used = {instance.image for instance in account.instances.values()}
        with Store.open(self.path) as store:
            exempt = {exemption.image for exemption in store.exemptions(self.now)}
        reasons: dict[str, str] = {}
        for image in account.images.values():
            causes = {
                "public": image.is_public,
                "protected": image.protected,
                "in use": image.id in used,
                "exempt": image.id in exempt,
                "newborn": self.now - image.created_at < timedelta(minutes=10),
                "gone": image.status in ("deleted", "pending_delete"),
            }
            if held := [cause for cause, holds in causes.items() if holds]:
                reasons[image.id] = held[0]
        return reasons

    def check_requests(self, guarded: dict[str, str], before: int, *, crashed: bool) -> None:
        requests = [request for request in self.cloud.requests[before:] if request.name == "delete-image"]
        asked = {request.image or "" for request in requests}
        self.counts["delete requests"] += len(requests)
        with Store.open(self.path) as store:
            run = store.latest_run() or 0
            journalled = self.journalled(run)
            decisions = {d.image.id: d for target in store.load_run(run).targets for d in target.decisions}
        for image in asked:
            if image in guarded:
                raise Broken(f"{image} was sent a delete although it is {guarded[image]}")
            self.check_notice(image, decisions[image])
        if asked - journalled:
            raise Broken(f"not in the journal: {sorted(asked - journalled)}")
        if not crashed and journalled - asked - self.unanswerable(requests):
            raise Broken(f"in the journal only: {sorted(journalled - asked)}")

    def unanswerable(self, requests: list[Any]) -> set[str]:
        """A client that cannot get a token any more sends nothing, and says so."""
        return self.journalled(self.latest()) if not requests or self.token_denied() else set()

    def token_denied(self) -> bool:
        return any(request.name == "issue-token" for request in self.cloud.requests[-50:])

    def latest(self) -> int:
        with Store.open(self.path) as store:
            return store.latest_run() or 0

    def journalled(self, run: int) -> set[str]:
        with Store.open(self.path) as store, store._file.reading() as db:
            sql = "SELECT image FROM deletions WHERE run = ? AND requested_at IS NOT NULL"
            return {row[0] for row in db.execute(sql, [run])}

    def check_notice(self, image: str, decision: Decision) -> None:
        if decision.policy != "builds" or not self.notice:
            return
        waits = self.told.get(image, [])
        if not any(self.now >= at + length and length >= self.notice for at, length in waits):
            raise Broken(f"{image} was sent a delete without its notice of {self.notice}: told {waits}, now {self.now}")

    def check_nothing_is_left(self, result: RunResult) -> None:
        target = result.targets[0]
        if result.outcome is not Outcome.OK:
            raise Broken(f"after the faults a run still ends {result.outcome}: {target.error}")
        late = [d for d in target.decisions if d.verdict == "wait" and d.reason == "notice" and d.due <= self.now]  # type: ignore[operator]
        gone = {d.decision.image.id for d in target.deletions if d.outcome is DeletionOutcome.DELETED}
        left = [d.image.id for d in target.doomed if d.image.id not in gone]
        if late or left:
            raise Broken(f"expired, unguarded and still there: {[*late, *left]}")

    def check_reports(self) -> None:
        """Every image that our requests removed was reported as deleted, and none twice."""
        reported: Counter[str] = Counter()
        already: set[str] = set()
        with Store.open(self.path) as store:
            finished = [run.run for run in store.runs(None) if run.outcome is not None]
            for run in finished:
                for target in store.load_run(run).targets:
                    for deletion in (*target.deletions, *target.settled):
                        reported[deletion.decision.image.id] += deletion.outcome is DeletionOutcome.DELETED
                        if deletion.outcome is DeletionOutcome.ALREADY_GONE:
                            already.add(deletion.decision.image.id)
            open_requests = store.unsettled(TARGET)
        if open_requests:
            raise Broken(f"never settled: {open_requests}")
        if twice := [image for image, count in reported.items() if count > 1]:
            raise Broken(f"reported as deleted more than once: {twice}")
        done = {r.image or "" for r in self.cloud.requests if r.name == "delete-image" and r.code == 0}
        removed = {image for image in done if image not in self.cloud.account.images}
        if silent := removed - {image for image, count in reported.items() if count} - already:
            raise Broken(f"deleted, and never reported: {sorted(silent)}")
        self.counts["deleted"] += sum(reported.values())


def simulate(seed: int) -> Counter[str]:
    """One seed; what it met. Raises Broken, with how to repeat it."""
    with tempfile.TemporaryDirectory() as folder, retries_without_waiting():
        nights = Nights(seed, Path(folder))
        try:
            nights.live()
        except Broken as broken:
            night = (nights.now - START).days
            raise Broken(f"night {night}: {broken}\nrepeat: python -m tests.nights --from {seed} --seeds 1") from broken
        return nights.counts


@contextmanager
def retries_without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    try:
        yield
    finally:
        stamina.set_testing(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--from", dest="first", type=int, default=0)
    words = parser.parse_args()
    total: Counter[str] = Counter()
    for seed in range(words.first, words.first + words.seeds):
        total += simulate(seed)
    sys.stdout.write(f"{words.seeds} seeds held.\n")
    for name, count in sorted(total.items()):
        sys.stdout.write(f"{count:9,}  {name}\n")


if __name__ == "__main__":
    main()
