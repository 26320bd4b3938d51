"""Rules about the requests of a run: only allowed ones, within the limits, and all of them in the journal."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from janitor.core.result import Mode
from janitor.sandbox.models import StoredImage
from janitor.sandbox.request_log import RecordedRequest
from tests.nights.account import Account
from tests.nights.calls import SURVEYED
from tests.nights.ground import Attempt, Broken, Limits, instant, rows

_APART = timedelta(minutes=5)
_BELIEVABLE = 0.6
_UNHEARD = {"delay", "dropped-connection", "cut-off-body"}
"""What may keep an answer, and the time in it, from the client."""

_ENTRIES = """
SELECT run, image, requested_at, answered_at, answer FROM deletions
WHERE requested_at IS NOT NULL AND run > ? ORDER BY deletion
"""
_SURVEY = """
SELECT r.run, s.owned, s.instances, s.usage_problem, s.finished_at
FROM runs r LEFT JOIN surveys s ON s.run = r.run AND s.target = ? WHERE r.run > ?
"""


@dataclass(frozen=True)
class Entry:
    """A request in the journal: when it was to be sent, and when an answer was recorded."""

    image: str
    requested_at: datetime
    answered_at: datetime | None

    def spans(self, at: datetime) -> bool:
        """Whether this entry covers that instant."""
        return self.requested_at < at and (self.answered_at is None or at < self.answered_at)


class Asking:
    """Watches the requests of one janitor's runs. `latest` is the last one; `before` are the images before it."""

    def __init__(self, account: Account, database: Path, limits: Limits, counts: Counter[str]) -> None:
        self._account = account
        self._database = database
        self._limits = limits
        self._counts = counts
        self._attempt = Attempt()
        self._approved: Collection[str] | None = None
        self.latest = 0
        self.before: dict[str, StoredImage] = {}
        self._at_review: dict[str, StoredImage] = {}
        self._instances = 0
        self._notices: list[tuple[object, ...]] = []
        self._behind = False

    def begin(self, attempt: Attempt, approved: Collection[str] | None) -> None:
        """Note the state before a run."""
        self._attempt, self._approved = attempt, approved
        self._at_review, self.before = self.before, self._account.mine.images
        self._instances = self._account.servers
        self._account.begin(self._accepted_surveys(), attempt.mishaps.lost)
        self._notices = self._standing_notices()

    def recall(self, latest: int, *, behind: bool) -> None:
        """The latest run that the janitor knows is this one; `behind`: it can find out that there were later ones."""
        self.latest, self._behind = latest, behind

    def decided_at(self, image: str) -> datetime:
        """The last instant at which a person's exemption still counted for the deletion requested now."""
        latest = "SELECT requested_at FROM deletions WHERE image = ? ORDER BY deletion DESC LIMIT 1"
        found = rows(self._database, latest, image)
        return instant(found[0][0]) or self._account.now if found else self._account.now

    def check(self, *, died: bool, strange: bool = False) -> None:
        """Check the requests of a run that has ended or died."""
        requests = self._account.news()
        deletions = [request for request in requests if request.name == "delete-image"]
        for asked in self._account.asked:
            if asked.objection is not None:
                raise Broken(f"{asked.image} was sent a delete although it is {asked.objection}")
        self._check_journal(requests, died=died)
        self._behind = self._behind and (died or self._attempt.mode is Mode.DRY_RUN)
        self._check_permission({request.image or "" for request in deletions})
        self._check_gate(requests)
        self._note_survey(requests, strange=strange)
        self._counts["delete requests"] += len(deletions)
        self._counts.update(f"struck by {fault}" for request in requests for fault in request.faults)

    def _check_journal(self, requests: list[RecordedRequest], *, died: bool) -> None:
        entries = [
            Entry(row["image"], instant(row["requested_at"]) or self._account.now, instant(row["answered_at"]))
            for row in rows(self._database, _ENTRIES, self.latest)
        ]
        deletions = [request for request in requests if request.name == "delete-image"]
        for request in deletions:
            if not any(entry.image == request.image and entry.spans(request.at) for entry in entries):
                raise Broken(f"{request.image} was sent a delete that the journal does not know")
        for number, entry in enumerate(entries, start=1):
            sent = any(request.image == entry.image and entry.spans(request.at) for request in deletions)
            killed = died and number == len(entries) and entry.answered_at is None
            if not sent and not killed and not _without_token(entry, requests):
                raise Broken(f"{entry.image} is in the journal, and no delete was sent")

    def _check_permission(self, images: set[str]) -> None:
        """Limits apply to a run that nobody reviewed; a reviewed plan is applied except where something changed."""
        if images and self._behind:
            raise Broken("a run whose database is behind its mark sent a delete")
        if images and self._attempt.mode is Mode.DRY_RUN:
            raise Broken("a dry run sent a delete")
        if self._attempt.mode is Mode.DRY_RUN and self._notices != self._standing_notices():
            raise Broken("a dry run started or ended notices")
        if self._approved is not None:
            same = {image for image in self._approved if self._is_as_reviewed(image)}
            if changed := images - same:
                raise Broken(f"not as it was when the plan was reviewed, and sent a delete all the same: {changed}")
            return
        owned = sum(self._account.is_owned(image) for image in self.before.values())
        if len(images) > self._limits.most or len(images) * 100 > self._limits.share * owned:
            raise Broken(f"{len(images)} of {owned} images were sent a delete: the limits are {self._limits}")

    def _is_as_reviewed(self, image: str) -> bool:
        now, then = (images.get(image) for images in (self.before, self._at_review))
        return now is not None and then is not None and _facts(now) == _facts(then)

    def _check_gate(self, requests: list[RecordedRequest]) -> None:
        """After an incomplete survey, or one with a wrong clock, nothing is deleted unless a person accepted it."""
        first = next((place for place, request in enumerate(requests) if request.name == "delete-image"), None)
        if first is None or self._attempt.accept:
            return
        # Each image is checked again before its deletion: the survey had ended before, with a list.
        before = requests[:first]
        end = max(place for place, request in enumerate(before) if request.name in SURVEYED and request.image is None)
        survey_of = (request for request in before[: end + 1] if request.name in SURVEYED)
        told_time = (request.faults for request in survey_of if _UNHEARD.isdisjoint(request.faults))
        if any("clock-off" in faults for faults in told_time) and abs(self._attempt.mishaps.clock_offset) > _APART:
            raise Broken("deletes were sent although the server's clock is off")
        survey = rows(self._database, _SURVEY, self._account.target, self.latest)[-1]
        there = sum(self._account.is_owned(image) for image in self.before.values())
        seen_of = ((there, "owned", "images"), (self._instances, "instances", "instances"))
        for present, column, what in seen_of:
            seen = survey[column]
            if seen < _BELIEVABLE * present:
                raise Broken(f"deletes were sent although the survey saw {seen} of {present} {what}")

    def _note_survey(self, requests: list[RecordedRequest], *, strange: bool) -> None:
        """What the run will remember of the usage, and its number."""
        surveys = rows(self._database, _SURVEY, self._account.target, self.latest)
        if not surveys:
            return
        self.latest = surveys[-1]["run"]
        read_at = instant(surveys[-1]["finished_at"])
        if read_at is not None and not strange and surveys[-1]["usage_problem"] is None:
            self._account.note_usage(requests, read_at)

    def _accepted_surveys(self) -> list[datetime]:
        good = "SELECT finished_at FROM surveys WHERE good ORDER BY run"
        return [at for row in rows(self._database, good) if (at := instant(row[0])) is not None]

    def _standing_notices(self) -> list[tuple[object, ...]]:
        sql = "SELECT image, policy, due FROM notices WHERE ended_at IS NULL ORDER BY image"
        return [tuple(row) for row in rows(self._database, sql)]

    def check_the_end(self) -> None:
        """No request is left open."""
        open_entries = "SELECT image FROM deletions WHERE outcome IS NULL OR unsettled AND settled_in_run IS NULL"
        if found := [row[0] for row in rows(self._database, open_entries)]:
            raise Broken(f"never settled: {found}")


def _without_token(entry: Entry, requests: list[RecordedRequest]) -> bool:
    """Whether the client could not ask at all: the latest token that it asked for before it gave up was not given."""
    until = entry.answered_at
    tokens = [r for r in requests if r.name == "issue-token" and (until is None or r.at < until)]
    return bool(tokens) and (tokens[-1].code != 0 or bool(tokens[-1].faults))


def _facts(image: StoredImage) -> tuple[object, ...]:
    return image.status, image.protected, image.updated_at
