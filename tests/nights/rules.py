"""What must hold, whatever went wrong, for everything that a run requests, records and reports."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from janitor.core.result import Outcome, RunResult
from janitor.sandbox.models import StoredImage
from tests.nights.account import Account
from tests.nights.asking import Asking
from tests.nights.channel import Channel
from tests.nights.ground import Attempt, Broken, Limits
from tests.nights.people import People
from tests.nights.team import Team
from tests.nights.telling import Telling


class Rules:
    """Watches one janitor. Every method raises Broken where a rule does not hold."""

    def __init__(
        self, account: Account, team: Team, people: People, channel: Channel, limits: Limits, counts: Counter[str]
    ) -> None:
        self._account = account
        self._team = team
        self._people = people
        self._database = people.database
        self._counts = counts
        self._began = account.now
        self.telling = Telling(account, channel, people.database, counts)
        self._asking = Asking(account, people.database, limits, counts)
        account.objection = self._objection

    def _objection(self, image: StoredImage) -> str | None:
        """Why a run must not ask now for the deletion of an image that nothing in the account guards."""
        # Those from before the run: deletions by others while it reads the list cannot be taken into account.
        now, every = self._account.now, self._asking.before.values()
        if image.id in self._people.kept and self._people.keeps(image.id, self._asking.decided_at(image.id)):
            return "exempt by command"
        if self._team.exempts(image, now):
            return "exempt by a policy file"
        policy = self._team.owner(image)
        kept = self._team.keeps(image, every, now)
        return kept if kept or policy is None else self.telling.objection(image, policy, now)

    def free_to_go(self) -> list[str]:
        """The images that nothing keeps now, by every rule that can be checked without the janitor."""
        now, every = self._account.now, list(self._account.mine.images.values())
        return [
            image.id
            for image in self._account.unguarded()
            if not image.held
            and not self._people.keeps(image.id, now)
            and not self._team.exempts(image, now)
            and not self._team.keeps(image, every, now)
            and self._team.is_plain(image)
        ]

    def begin(self, attempt: Attempt, approved: Collection[str] | None) -> None:
        """A run is about to begin; `approved` are the images of a reviewed plan, where one is applied."""
        self._began = self._account.now
        self._asking.begin(attempt, approved)

    def check_run(self, result: RunResult | None, *, strange: bool = False) -> None:
        """A run has ended and its report is delivered as far as possible; or it died, and has no result.

        `strange`: it saw another account.
        """
        self._asking.check(died=result is None, strange=strange)
        self.telling.note_run(self._asking.latest, self._began, self._team.policies, died=result is None)
        self.telling.check(crashed=result is None)
        self._counts[f"runs, {result.outcome if result else 'died'}"] += 1

    def check_resent(self, *, crashed: bool) -> None:
        """A person had late reports sent, between two runs."""
        self.telling.check(crashed=crashed)

    def remembered(self) -> tuple[int, dict[str, int]]:
        """What is known of the janitor's runs, to be recalled."""
        return self._asking.latest, self.telling.remembered()

    def recall(self, remembered: tuple[int, dict[str, int]], at: datetime, *, behind: bool) -> None:
        """The janitor knows only what it knew then; if it notices that, it starts over."""
        latest, told = remembered
        self._asking.recall(latest, behind=behind)
        self.telling.recall(latest, told, at, behind=behind)

    def check_the_end(self, result: RunResult, free: Collection[str]) -> None:
        """After quiet nights: the latest run's result, and the images that were free to go when they began."""
        [target] = result.targets
        held = {image.id for image in self._account.mine.images.values() if image.held}
        troubled = [d for d in target.deletions if d.outcome.unsuccessful and d.decision.image.id not in held]
        if result.outcome is not Outcome.OK and (target.error is not None or troubled):
            raise Broken(f"after the faults a run still ends {result.outcome}: {target.error or troubled}")
        if left := [image for image in free if image in self._account.mine.images]:
            raise Broken(f"expired, unguarded and still there: {left}")
        ahead = {d.image.id for d in target.decisions if d.verdict in ("wait", "delete")}
        late = [d.image.id for d in target.decisions if d.verdict == "wait" and d.due and d.due <= result.started_at]
        if late:
            raise Broken(f"waits for what is past: {late}")
        self._asking.check_the_end()
        self.telling.check_the_end(ahead)
