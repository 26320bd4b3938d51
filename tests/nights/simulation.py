"""One seed: an account, a team, their people and a channel over many nights, and one janitor among them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import stamina

from janitor import wiring
from janitor.commands.reporting import delivered
from janitor.delivery import resend
from janitor.model import Decision, Mode, Outcome, RunResult
from janitor.review import reviewed_plan
from janitor.sandbox.calls import Api
from janitor.settings import load_settings
from janitor.sites import Choice
from janitor.stopping import Stop
from janitor.store import Store
from tests.nights.account import USAGE_MEMORY, Account
from tests.nights.again import check_deciding_again
from tests.nights.channel import Channel
from tests.nights.clockwork import Clockwork, Crash, Happening
from tests.nights.ground import Attempt, Limits, rows
from tests.nights.mishaps import NONE, Mishaps, draw_mishaps
from tests.nights.operators import Operators
from tests.nights.people import People
from tests.nights.rules import Rules
from tests.nights.team import DAY, HOUR, Team

NIGHTS = 100
QUIET_NIGHTS = 14
_SAME_AGAIN, _STILL_LOST = 0.3, 0.85
START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)


class Simulation:
    """Everything that one seed decides."""

    def __init__(self, seed: int, folder: Path) -> None:
        draw = self._draw = Random(seed)
        self.counts: Counter[str] = Counter()
        as_bot = draw.random() < 0.5
        limits = Limits(draw.choice((4, 12, 1000)), draw.choice((30, 100)))
        self.clockwork = Clockwork(START)
        self.account = Account(draw, self.clockwork, folder)
        self.channel = Channel(draw, self.clockwork, as_bot=as_bot)
        self.settings = load_settings(self._configuration(folder, limits, draw.choice(("UTC", "Asia/Seoul"))), {})
        self.team = Team(draw, self.settings.timezone, as_bot=as_bot)
        self.people = People(draw, self.clockwork, self.account, self.settings.database)
        self.operators = Operators(draw, self.account)
        self.rules = Rules(self.account, self.team, self.people, self.channel, limits, self.counts)
        self._typical = 50
        self._mishaps = NONE
        self._write_policies()

    def _configuration(self, folder: Path, limits: Limits, zone: str) -> Path:
        text = self.account.configuration(mode="delete", database="janitor.db", policies="policies.yaml", timezone=zone)
        text += f"limits: {{max_deletions: {limits.most}, max_share: {limits.share}%}}\n"
        text += f"usage_memory: {USAGE_MEMORY // HOUR}h\n"
        # One at a time, so that a seed repeats itself exactly; several at once are tested elsewhere.
        text += "concurrency: {targets: 1, deletions: 1}\nhttp: {attempts: 3, page_size: 10}\n"
        path = folder / "janitor.yaml"
        path.write_text(text + self.channel.configuration(), encoding="utf-8")
        return path

    def _write_policies(self) -> None:
        self.settings.policies.write_text(self.team.file(), encoding="utf-8")
        self._policies = wiring.rules_of(self.settings)

    def live(self, nights: int = NIGHTS) -> None:
        """All nights, and then quiet ones; raises Broken where a rule does not hold."""
        with self.clockwork.governing(), self.account.one_at_a_time(), self.channel.open(), _retries_at_once():
            for _ in range(nights):
                self._pass_a_day()
                # Nothing strikes the first survey: there is none before that it could be compared with.
                result = self._run(Attempt(self._draw_mishaps(0.5) if self._has_surveyed() else NONE))
                self._morning(result)
            self._quieten()
        check_deciding_again(self.settings.database, self.counts)

    def _pass_a_day(self) -> None:
        self.clockwork.now = self._next_night()
        self.people.work()
        self.operators.work()
        if self.team.reconsider(self.clockwork.now, self.people.own):
            self._write_policies()

    def _next_night(self) -> datetime:
        evening = self.clockwork.now.replace(hour=3, minute=0, second=0) + DAY
        return evening + timedelta(minutes=self._draw.choice((0, self._draw.randint(-20, 20))))

    def _has_surveyed(self) -> bool:
        return bool(rows(self.settings.database, "SELECT 1 FROM surveys WHERE good"))

    def _morning(self, result: RunResult | None) -> None:
        """People look at what the night has brought."""
        self.clockwork.now += self._draw.randint(3, 9) * HOUR
        if result is not None and result.outcome is Outcome.REFUSED and self._draw.random() < 0.6:
            if self._draw.random() < 0.5:
                self._draw.choice((self.people.protect, self.people.touch))()
            self._run(_answer_to(result, self._draw_mishaps(0.2)))
        elif self._draw.random() < 0.05:
            self._run(Attempt(mode=Mode.DRY_RUN))
        elif self._draw.random() < 0.05:
            self._resend()

    def _quieten(self) -> None:
        """No faults any more, and nobody at work but who looks at refused runs."""
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

    def _run(self, attempt: Attempt, *, quiet: bool = False) -> RunResult | None:
        """One run and the delivery of its report; None where it died on the way."""
        self.account.sandbox.faults = attempt.mishaps.faults
        stop, happening = Stop(), None
        if quiet:
            self.channel.calm_down()
        else:
            self.counts[f"channel {self.channel.draw_mood()}"] += 1
            happening = self._draw_happening(stop)
        approved = None if attempt.apply is None else self._reviewed(attempt.apply)
        self.rules.begin(attempt, None if approved is None else {d.image.id for d in approved[self.account.target]})
        result = None
        try:
            with self.clockwork.running(happening), ExitStack() as holding:
                result = wiring.perform(
                    self.settings,
                    self._policies,
                    attempt.mode,
                    Choice(self.settings.targets),
                    stop=stop,
                    clock=self._clock,
                    accept_survey=attempt.accept,
                    approved=approved,
                    holding=holding,
                    carrier=self.account.carrier,
                )
                delivered(self.settings, result, self._policies.policies, stop, self._clock)
        except Crash:
            result = None
            self.counts[f"crashed {self.clockwork.died_at}"] += 1
        else:
            self._typical = self.clockwork.steps
        self.counts["steps"] += self.clockwork.steps
        self.counts["told to stop"] += stop.is_set()
        self.counts[_title(attempt)] += 1
        self.rules.check_run(result)
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
        try:
            with self.clockwork.running(happening):
                list(resend(self.settings, self._policies.policies, clock=self._clock))
        except Crash:
            self.counts[f"crashed {self.clockwork.died_at}"] += 1
        self.rules.check_resent(crashed=self.clockwork.died_at is not None)

    def _clock(self) -> datetime:
        return self.clockwork.now

    def _draw_happening(self, stop: Stop) -> Happening | None:
        """What befalls a run on its way, if anything does."""
        step = self._draw.randint(1, self._typical)
        match self._draw.randrange(20):
            case 0 | 1 | 2:
                return Happening(step, _crash)
            case 3:
                return Happening(step, stop.set)
            case 4 | 7:
                return Happening(step, lambda: self.people.keep(self.rules.free_to_go()))
            case 5 | 6 if self.account.api is not Api.TOAST:  # which nobody can ask for one image again
                return Happening(step, lambda: self.people.interfere(self.rules.free_to_go()))
            case 8 | 9:
                return Happening(step, self.operators.act)
            case _:
                return None

    def _reviewed(self, number: int) -> dict[str, tuple[Decision, ...]]:
        with Store.open_existing(self.settings.database) as store:
            policies, validity = self._policies.policies, self.settings.plan_validity
            return reviewed_plan(store, number, policies, validity, self.clockwork.now)


def _answer_to(refused: RunResult, mishaps: Mishaps = NONE) -> Attempt:
    """What a person does who looked why nothing was deleted: at the account, or at the plan."""
    if "looks wrong" in (refused.targets[0].error or ""):
        return Attempt(accept=True)
    return Attempt(mishaps, apply=refused.run)


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
