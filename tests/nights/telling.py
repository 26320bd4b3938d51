"""Rules about reports: every deletion once, nothing that did not happen, and all of it in time."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, groupby, takewhile
from pathlib import Path
from typing import Any

from janitor.core.notices import REMIND_BEFORE
from janitor.sandbox.models import StoredImage
from tests.nights.account import Account
from tests.nights.channel import Channel
from tests.nights.ground import Broken, rows
from tests.nights.silence import MAIN, Span, may_have_been_silent, was_surely_silent
from tests.nights.team import DAY, Policy, name_of
from tests.nights.told import NOT_DELETED, Fate, Told, listed, read
from tests.slack_stand_in import File

_LONG_NOTICE = 3 * DAY
_EPOCH = 100_000
_REMINDED = {Fate.REMINDED, Fate.REMINDED_LATE}
_SPARED = """
SELECT image FROM mentions JOIN runs USING (run)
WHERE run = ? AND kind = 'spared' AND mode = 'delete' AND outcome IS NOT NULL
"""
_OWED = """
SELECT count(*) FROM reports WHERE delivered_at IS NULL
UNION ALL SELECT count(*) FROM runs WHERE outcome IS NOT NULL AND owes_report
"""


class Telling:
    """Reads all that the channel accepts, and knows for each image what was reported about it."""

    def __init__(self, account: Account, channel: Channel, database: Path, counts: Counter[str]) -> None:
        self._account = account
        self._channel = channel
        self._database = database
        self._counts = counts
        self._heard = 0
        self._files = 0
        self._told: dict[str, list[Told]] = {}
        self._began: dict[int, datetime] = {}
        self._ended: dict[int, datetime] = {}
        self._died: dict[int, bool] = {}
        self._policies: dict[int, dict[str, Policy]] = {}
        self._spared: dict[str, int] = {}
        self._untold: set[str] = set()

    def note_run(self, run: int, began: datetime, policies: Iterable[Policy], *, died: bool) -> None:
        """A run has ended, or died; what it spared waits again from then on.

        One that died unrecorded does not count.
        """
        if run in self._began:
            return
        self._began[run], self._ended[run], self._died[run] = began, self._account.now, died
        self._policies[run] = {policy.name: policy for policy in policies}
        self._spared |= {row["image"]: run for row in rows(self._database, _SPARED, run)}

    def remembered(self) -> dict[str, int]:
        """Which images were spared, to be recalled."""
        return dict(self._spared)

    def recall(self, latest: int, spared: dict[str, int], at: datetime, *, behind: bool) -> None:
        """The janitor knows nothing about reports of later runs; if it notices that, it knows no notice.

        The numbers of later runs will be reused. What these did and did not report will never be reported.
        """
        for image, told in self._told.items():
            self._told[image] = [_forgotten(one, latest, at, every=behind) for one in told]
        for known in (self._began, self._ended, self._died, self._policies):
            _renumber(known, latest, every=behind)
        self._spared = dict(spared)
        self._untold |= {image for image in self._account.deleted if not self._is_told(image)}

    def _is_told(self, image: str) -> bool:
        return any(told.fate is Fate.DELETED for told in self._told.get(image, ()))

    def announced_by(self, run: int) -> set[str]:
        """The images that messages of a run announced."""
        return {
            image
            for image, told in self._told.items()
            if any(one.fate is Fate.ANNOUNCED and one.run == run for one in told)
        }

    # Before a deletion.

    def objection(self, listed: StoredImage, policy: Policy, now: datetime) -> str | None:
        """Why it is too early to delete an image that this policy owns, by what was reported about it."""
        image = listed.id
        announced = self._announced(image)
        if early := [told for told in announced if told.sure and told.due and told.due > now]:
            return f"announced by run {early[-1].run} for {early[-1].due}, which is later than {now}"
        since = max((told.run for told in announced if told.sure and told.policy != policy.name), default=0)
        own = [told for told in announced if told.policy == policy.name and told.run > since]
        if policy.notice and not any(told.at + policy.notice <= now for told in own):
            return f"not announced by {policy.name} {policy.notice} before {now}: {announced}"
        own = [told for told in own if self._named_in(told) == name_of(listed)]
        if policy.notice and not own:
            return f"announced under another name only: {announced}"
        own = [told for told in own if not was_surely_silent(self._between(told, policy, now))]
        if policy.notice and not own:
            return f"announced before a silence only: {announced}"
        if policy.notice and not any(self._is_reminded(told, now) for told in own):
            return f"not reminded of in time: {self._told[image]}"
        return None

    def _between(self, told: Told, policy: Policy, until: datetime) -> Span:
        return Span(self._database, policy.channel or MAIN, told.at, until, self._notice_of(told))

    def _named_in(self, told: Told) -> str | None:
        """The name of the image when the run saw it that reported it."""
        return self._account.name_at(told.image, self._began[told.run])

    def _owing(self, run: int) -> set[int]:
        """The runs whose report may not have been kept when this one decided: those just before it, if they died."""
        return set(takewhile(lambda earlier: self._died.get(earlier, False), count(run - 1, -1)))

    def _is_reminded(self, announced: Told, now: datetime) -> bool:
        """Whether the reminder that an announcement promised was given, in time or a day ago."""
        length = self._notice_of(announced)
        given = [t for t in self._told[announced.image] if t.fate in _REMINDED and not t.late and t.run > announced.run]
        return length <= _LONG_NOTICE or any(t.at <= announced.at + length or t.at + DAY <= now for t in given)

    def _announced(self, image: str) -> list[Told]:
        """The announcements of an image since it was spared last, in the order of the runs."""
        since = self._spared.get(image, 0)
        told = (told for told in self._told.get(image, ()) if told.fate is Fate.ANNOUNCED and told.run > since)
        return sorted(told, key=lambda told: told.run)

    # After each run.

    def check(self, *, crashed: bool) -> None:
        """Check what the channel has accepted since. A janitor that crashed may not know it."""
        if self._channel.objections:
            raise Broken(f"Slack refused what it was sent: {self._channel.objections}")
        news = self._channel.accepted[self._heard :]
        self._heard += len(news)
        for accepted in news:
            for told in read(replace(accepted, sure=accepted.sure and not crashed)):
                self._check_claim(told)
                self._told.setdefault(told.image, []).append(told)
                self._counts[f"told {told.fate.name.lower()}{', late' if told.late else ''}"] += 1
        for file in self._channel.files[self._files :]:
            self._check_file(file)
        self._files = len(self._channel.files)

    def _check_claim(self, told: Told) -> None:
        claim = f"run {told.run} says that {told.image} is {told.fate.name.lower()}"
        if told.dry and not told.settled:
            raise Broken(f"{claim}, and is a dry run")
        if told.fate in (Fate.DELETED, Fate.GONE, Fate.TAKEN) and told.image in self._account.mine.images:
            raise Broken(f"{claim}, and it is there")
        # What is settled is settled as of before the run, which may then request it again.
        as_of = (self._began if told.settled else self._ended)[told.run]
        if told.fate in NOT_DELETED and self._account.deleted.get(told.image, as_of) < as_of:
            raise Broken(f"{claim}, and it was deleted")
        if told.fate is Fate.ANNOUNCED:
            self._check_announcement(told)
        if told.fate in _REMINDED and not told.late:
            self._check_reminder(told)

    def _check_announcement(self, told: Told) -> None:
        """An image is announced once, unless another policy, a longer notice, another name, a silence or its being
        spared came between."""
        before = [earlier for earlier in self._announced(told.image) if earlier.run < told.run]
        if not before or not before[-1].sure or before[-1].policy != told.policy:
            return
        if self._named_in(before[-1]) != self._named_in(told):
            return
        policy = self._policies[told.run][told.policy or ""]
        silent = may_have_been_silent(self._between(before[-1], policy, told.at), self._owing(told.run))
        if self._notice_of(told) <= self._notice_of(before[-1]) and not silent:
            raise Broken(f"{told.image} was announced by run {before[-1].run}, and again for no reason by {told.run}")

    def _check_reminder(self, told: Told) -> None:
        """There is one reminder of a long notice, in its last day."""
        announced = [earlier for earlier in self._announced(told.image) if earlier.run < told.run]
        if not announced or self._notice_of(announced[-1]) <= _LONG_NOTICE:
            raise Broken(f"{told.image} was reminded of without a long notice: {announced}")
        reminded = (t for t in self._told[told.image] if t.fate in _REMINDED and t.sure and t.run != told.run)
        if any(earlier.run > announced[-1].run for earlier in reminded if not earlier.late):
            raise Broken(f"{told.image} was reminded of twice")
        if announced[-1].due is None or told.at < announced[-1].due - REMIND_BEFORE:
            raise Broken(f"{told.image} was reminded of at {told.at}, due at {announced[-1].due}")

    def _notice_of(self, told: Told) -> timedelta:
        return self._policies[told.run][told.policy or ""].notice

    def _check_file(self, file: File) -> None:
        """A file lists what its thread lists, and claims no more."""
        thread = [posted for posted in self._channel.posted if file.thread in (posted.thread, posted.ts)]
        entries = list(csv.DictReader(io.StringIO(file.content)))
        if {entry["image"] for entry in entries} != set[str]().union(*map(listed, thread)):
            raise Broken(f"{file.name} and its thread list other images")
        deleted = {entry["image"] for entry in entries if entry["outcome"] in ("deleted", "already-gone")}
        if there := deleted & self._account.mine.images.keys():
            raise Broken(f"{file.name} says that {sorted(there)} are gone")
        self._counts["files"] += 1

    # At the end.

    def check_the_end(self, ahead: Collection[str]) -> None:
        """When nothing is left to be said. `ahead` are the images whose announced deletion still is."""
        if any(row[0] for row in rows(self._database, _OWED)):
            raise Broken("reports are left undelivered, or were never kept")
        for image, told in self._told.items():
            self._check_once(image, told)
        for image in self._account.deleted.keys() - self._account.mine.images.keys():
            runs = {told.run for told in self._told.get(image, ()) if told.fate is Fate.DELETED}
            if len(runs) != 1 and image not in self._untold:
                raise Broken(f"{image} was deleted, and told of by {sorted(runs) or 'nobody'}")
            self._counts["deleted, and told of once"] += 1
        for image in self._told.keys() & self._account.mine.images.keys() - set(ahead):
            self._check_spared(image)

    def _check_once(self, image: str, told: Iterable[Told]) -> None:
        """Nothing is reported twice, unless the sender could not know that it had been accepted."""
        for _, arrivals in groupby(sorted(told, key=lambda t: (t.key, t.at)), lambda t: t.key):
            *earlier, last = arrivals
            if any(entry.sure for entry in earlier):
                raise Broken(f"run {last.run} said {len(earlier) + 1} times that {image} is {last.fate.name.lower()}")
            self._counts["told again, as its arrival was unknown"] += len(earlier)

    def _check_spared(self, image: str) -> None:
        """If an announced image stays, that is reported, too."""
        words = (t for t in self._told[image] if t.fate is Fate.SPARED or (t.fate is Fate.ANNOUNCED and t.sure))
        *_, last = [None, *sorted(words, key=lambda t: t.run)]
        if last is not None and last.fate is Fate.ANNOUNCED:
            raise Broken(f"{image} was announced by run {last.run}, stays, and nobody was told")


def _forgotten(told: Told, latest: int, at: datetime, *, every: bool) -> Told:
    """What was told, as the janitor knows of it once it knows no run after the latest, or no notice."""
    if told.run > latest or every:
        return replace(told, run=told.run - _EPOCH, sure=False)
    return replace(told, sure=told.sure and told.at <= at)


def _renumber(known: dict[int, Any], latest: int, *, every: bool) -> None:
    """Keep what is known of forgotten runs under other numbers, and make room for runs of the same."""
    forgotten = [run for run in known if run > latest or every]
    known.update({run - _EPOCH: known[run] for run in forgotten})
    for run in forgotten:
        if run > latest:
            del known[run]
