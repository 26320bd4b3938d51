"""One seed: an account, a team, their people and a channel over many nights, and one janitor among them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import stamina

from janitor.cli import configuration
from janitor.config import load_settings
from janitor.core.decision import Decision
from janitor.core.result import Mode, Outcome, RunResult
from janitor.notify.channel import Sending
from janitor.notify.channels import SCHEMAS
from janitor.notify.delivery import deliver, resend
from janitor.run.review import reviewed_plan
from janitor.run.sites import Choice
from janitor.sandbox.calls import Api
from janitor.shutdown import Stop
from janitor.store import Store
from tests import runs
from tests.nights.account import PAGE_SIZE, USAGE_MEMORY, Account, untouched
from tests.nights.again import check_deciding_again
from tests.nights.between import check_what_changed
from tests.nights.channel import Channel
from tests.nights.clickers import Clickers
from tests.nights.clockwork import Clockwork, Crash, Happening
from tests.nights.copies import Copy, Mark, copy_of, restore
from tests.nights.ground import Attempt, Limits, disconnect, rows
from tests.nights.mishaps import NONE, Mishaps, draw_mishaps
from tests.nights.operators import Operators
from tests.nights.people import People
from tests.nights.record import Record
from tests.nights.rules import Rules
from tests.nights.stranger import Stranger
from tests.nights.team import DAY, HOUR, Team

NIGHTS = 100
QUIET_NIGHTS = 14
_SAME_AGAIN, _STILL_LOST = 0.3, 0.85
_DOWN, _SWAPPED = 0.03, 0.03
_COPIED, _RESTORED = 0.3, 0.1
START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)


class Simulation:
    """Everything that one seed decides."""

    def __init__(self, seed: int, folder: Path) -> None:
        draw = self._draw = Random(seed)
        self._folder = folder
        self.counts: Counter[str] = Counter()
        as_bot = draw.random() < 0.5
        limits = Limits(draw.choice((4, 12, 1000)), draw.choice((30, 100)))
        self.clockwork = Clockwork(START)
        self.account = Account(draw, self.clockwork, folder)
        self.channel = Channel(draw, self.clockwork, as_bot=as_bot)
        zone = draw.choice(("UTC", "Asia/Seoul"))
        self.settings = load_settings(self._configuration(folder, limits, zone), {}, lambda: SCHEMAS)
        sees_owners = self.account.api is Api.OPENSTACK
        self.team = Team(draw, self.settings.timezone, as_bot=as_bot, sees_owners=sees_owners)
        self.people = People(draw, self.clockwork, self.account, self.settings.database, Random(f"names of {seed}"))
        self.operators = Operators(draw, self.account)
        self.rules = Rules(self.account, self.team, self.people, self.channel, limits, self.counts)
        self.clickers = Clickers(seed, self.channel, self.people, self.settings, self.counts)
        file = folder / "reports.jsonl"
        self.record = Record(file, self.account, self.rules.telling, Random(f"record of {seed}"), self.counts)
        self._typical = 50
        self._quiet = False
        self._copy: Copy | None = None
        self._of_copies = Random(f"copies of {seed}")
        self._mishaps = NONE
        self._write_policies()

    def _configuration(self, folder: Path, limits: Limits, zone: str) -> Path:
        text = self.account.configuration(mode="delete", database="janitor.db", policies="policies.yaml", timezone=zone)
        text += f"limits: {{max_deletions: {limits.most}, max_share: {limits.share}%}}\n"
        text += f"usage_memory: {USAGE_MEMORY // HOUR}h\n"
        # One at a time, so that a seed repeats itself exactly; several at once are tested elsewhere.
        text += "concurrency: {targets: 1, deletions: 1}\nchannels: [{file: reports.jsonl}]\n"
        text += f"http: {{attempts: 3, page_size: {PAGE_SIZE}}}\n"
        path = folder / "janitor.yaml"
        path.write_text(text + self.channel.configuration(), encoding="utf-8")
        return path

    def _write_policies(self) -> None:
        self.settings.policies.write_text(self.team.file(), encoding="utf-8")
        self._policies = configuration.rules_of(self.settings)

    def live(self, nights: int = NIGHTS) -> None:
        """All nights, and then quiet ones; raises Broken where a rule does not hold."""
        with ExitStack() as world:
            for part in (self.clockwork.governing, self.account.one_at_a_time, self.channel.open, _retries_at_once):
                world.enter_context(part())
            world.enter_context(self.clickers.patiently())
            for _ in range(nights):
                self._pass_a_day()
                if self._has_surveyed() and self._draw.random() < _SWAPPED:
                    self._live_with_another_account()
                self._copy_or_restore()
                # No faults affect the first survey: there is no earlier one to compare it with.
                result = self._run(Attempt(self._draw_mishaps(0.5) if self._has_surveyed() else NONE))
                self._morning(result)
            self._quieten()
        check_deciding_again(self.settings, self.counts)
        check_what_changed(self.settings, self.counts)

    def _pass_a_day(self) -> None:
        self.clockwork.now = self._next_night()
        self.people.work()
        self.operators.work()
        if self.team.reconsider(self.clockwork.now, self.people.own):
            self._write_policies()

    def _live_with_another_account(self) -> None:
        """For some nights, the target reaches another account; one of them may be told that its survey is right."""
        # With v1.0 only its images may distinguish it from ours.
        hidden = self._draw.random() < 0.5 and self.account.api is Api.TOAST
        stranger = Stranger(self._draw, self.clockwork, self.account, hidden=hidden)
        for _ in range(self._draw.randint(1, 3)):
            self._run(Attempt(accept=not hidden and self._draw.random() < 0.5), stranger=stranger)
            self._pass_a_day()

    def _copy_or_restore(self) -> None:
        """Somebody copies the database now and then, and puts a copy in its place when it seems lost."""
        draw = self._of_copies
        what = (self.people, self.account.usage, self.rules)
        if self._copy is not None and draw.random() < _RESTORED:
            mark = draw.choice(list(Mark))
            restore(self._copy, mark, self.settings.database, *what)
            self.counts[f"restored: {mark.value}"] += 1
            self._copy = None
        elif self._has_surveyed() and draw.random() < _COPIED:
            self._copy = copy_of(self.settings.database, self.clockwork.now, *what) or self._copy

    def _next_night(self) -> datetime:
        evening = self.clockwork.now.replace(hour=3, minute=0, second=0) + self._nights_away() * DAY
        return evening + timedelta(minutes=self._draw.choice((0, self._draw.randint(-20, 20))))

    def _nights_away(self) -> int:
        """The janitor's machine is down for some nights, now and then."""
        if self._quiet or self._draw.random() >= _DOWN:
            return 1
        self.counts["nights without a machine"] += (nights := self._draw.randint(2, 7)) - 1
        return nights

    def _has_surveyed(self) -> bool:
        return bool(rows(self.settings.database, "SELECT 1 FROM surveys WHERE good"))

    def _morning(self, result: RunResult | None) -> None:
        """People look at what the night has brought."""
        self.clockwork.now += self._draw.randint(3, 9) * HOUR
        self.clickers.work()
        if result is not None and result.outcome is Outcome.REFUSED and self._draw.random() < 0.6:
            if self._draw.random() < 0.5:
                self._draw.choice((self.people.protect, self.people.touch))()
            self._run(_answer_to(result, self._draw_mishaps(0.2)))
        elif self._draw.random() < 0.05:
            self._run(Attempt(mode=Mode.DRY_RUN))
        elif self._draw.random() < 0.05:
            self._resend()

    def _quieten(self) -> None:
        """No more faults, and nobody acts except to review refused runs."""
        self._quiet = True
        self.account.texts.repair()
        free = self.rules.free_to_go()
        result = None
        for _ in range(QUIET_NIGHTS):
            self.clockwork.now = self._next_night()
            result = self._run(Attempt(), quiet=True)
            if result is not None and result.outcome is Outcome.REFUSED:
                self.clockwork.now += 4 * HOUR
                result = self._run(_answer_to(result), quiet=True)
        assert result is not None
        self.rules.check_the_end(result, free)

    def _run(self, attempt: Attempt, *, quiet: bool = False, stranger: Stranger | None = None) -> RunResult | None:
        """One run and the delivery of its report; None if it died."""
        settings = stranger.settings(self._folder / "strange.yaml", self.settings) if stranger else self.settings
        self.account.sandbox.faults = attempt.mishaps.faults
        stop, happening = Stop(), None
        if quiet:
            self.channel.calm_down()
            self.record.repair()
            self.account.edge = untouched
        else:
            self.counts[f"channel {self.channel.draw_mood()}"] += 1
            self.record.draw_mood()
            happening = self._draw_happening(stop) or self.clickers.happening(self._typical, self.rules.free_to_go)
            self.account.edge = self._draw_edge(attempt)
        approved = None if attempt.apply is None else self._reviewed(attempt.apply)
        self.rules.begin(attempt, None if approved is None else {d.image.id for d in approved[self.account.target]})
        result = None
        disconnect(self.settings.database)
        try:
            with self.clockwork.running(happening), ExitStack() as holding:
                result = runs.perform(
                    settings,
                    self._policies,
                    attempt.mode,
                    Choice(settings.targets),
                    stop=stop,
                    clock=self._clock,
                    accept_survey=attempt.accept,
                    approved=approved,
                    holding=holding,
                    http_transport=(stranger or self.account).http_transport,
                )
                self.clickers.listen()
                deliver(self.settings, result, self._policies.policies, sending=Sending(stop), clock=self._clock)
        except Crash:
            result = None
            self.counts[f"crashed {self.clockwork.died_at}"] += 1
        else:
            self._typical = self.clockwork.steps
        self.counts["steps"] += self.clockwork.steps
        self.counts["told to stop"] += stop.is_set()
        self.counts["runs on another account" if stranger else _title(attempt)] += 1
        if stranger is not None:
            stranger.check(result, self.settings.database, self.clockwork.now)
        self.rules.check_run(result, strange=stranger is not None)
        self.record.check(result)
        return result

    def _draw_mishaps(self, chance: float) -> Mishaps:
        """What goes wrong, by chance; at times the same again, and most times where a service is lost."""
        mishaps = draw_mishaps(self._draw, self.account.api)
        if self._draw.random() >= (_STILL_LOST if self._mishaps.lost else _SAME_AGAIN):
            self._mishaps = mishaps if self._draw.random() < chance else NONE
        return self._mishaps

    def _resend(self) -> None:
        """A person has late reports sent."""
        self.channel.draw_mood()
        happening = Happening(self._draw.randint(1, 10), _crash) if self._draw.random() < 0.2 else None
        disconnect(self.settings.database)
        try:
            with self.clockwork.running(happening):
                list(resend(self.settings, self._policies.policies, clock=self._clock))
        except Crash:
            self.counts[f"crashed {self.clockwork.died_at}"] += 1
        self.rules.check_resent(crashed=self.clockwork.died_at is not None)
        self.record.check(None)

    def _clock(self) -> datetime:
        return self.clockwork.now

    def _draw_happening(self, stop: Stop) -> Happening | None:
        """What happens during a run, if anything."""
        step = self._draw.randint(1, self._typical)
        match self._draw.randrange(20):
            case 0 | 1 | 2:
                return Happening(step, _crash)
            case 3:
                return Happening(step, stop.set)
            case 4 | 7:
                return Happening(step, lambda: self.people.keep(self.rules.free_to_go()))
            case 5 | 6 if self.account.api is not Api.TOAST:  # which cannot be asked for one image
                return Happening(step, lambda: self.people.interfere(self.rules.free_to_go()))
            case 8 | 9:
                return Happening(step, self.operators.act)
            case _:
                return None

    def _draw_edge(self, attempt: Attempt) -> Callable[[str], bool]:
        """What somebody does to the last image of a page, if anything: perhaps to one that is to go.

        Where lists have holes, the page that shows it again may be missing.
        """
        if attempt.mishaps != NONE or self._draw.random() < 0.5:
            return untouched
        wanted = set(self.rules.free_to_go())

        def act(image: str) -> bool:
            if image not in wanted and self._draw.random() < 0.9:
                return False
            self.people.take_away(image)
            self.counts["taken away at the edge of a page"] += 1
            return True

        return act

    def _reviewed(self, number: int) -> dict[str, tuple[Decision, ...]]:
        with Store.open_existing(self.settings.database) as store:
            policies, validity = self._policies.policies, self.settings.plan_validity
            return reviewed_plan(store, number, policies, validity, self.clockwork.now)


def _answer_to(refused: RunResult, mishaps: Mishaps = NONE) -> Attempt:
    """What a person does after checking why nothing was deleted: the account, or the plan."""
    if "implausible survey" in (refused.targets[0].error or ""):
        return Attempt(accept=True)
    over_limit = "janitor apply" in (refused.targets[0].error or "")
    return Attempt(mishaps, apply=refused.run if over_limit else None)


def _title(attempt: Attempt) -> str:
    if attempt.apply is not None:
        return "runs that applied a plan"
    return "runs that accepted the survey" if attempt.accept else f"runs, {attempt.mode}"


def _crash() -> None:
    raise Crash


@contextmanager
def _retries_at_once() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    try:
        yield
    finally:
        stamina.set_testing(False)
