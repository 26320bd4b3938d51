"""What the data behind a deletion must be: if it is too old or not certain, the target is read again before that."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.errors import CloudError, Unavailable

STALE = timedelta(minutes=10)
"""How old the data behind a deletion may be."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a later reading says: why planned images stay after all, by folded id.

    `listed` are all images by their folded ids; None where the API is asked for each of them just before its deletion.
    """

    stays: Mapping[ImageId, str] = field(default_factory=dict)
    listed: Mapping[ImageId, Image] | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant by the clock, and by monotonic time in seconds."""

    at: datetime
    ticks: float


@dataclass(slots=True)
class Freshness:
    """Ensures that no deletion depends on data older than ten minutes, or on a list that was not read page by page.

    Safe to use from several threads at once. `in_order`: the survey's list was read page by page.

    `now` gives the time and `since` is when the survey began. A reading counts from its beginning; if two in a row take
    longer than that, the account is slow (the process was not stopped), and the second counts from its end.
    """

    read: Callable[[], Reading]
    now: Callable[[], Moment]
    since: Moment
    in_order: bool = True
    latest: Reading = Reading()
    failed: CloudError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_stale(self) -> bool:
        """Whether the target has to be read again; the longer of both times counts: a clock may have been set back."""
        if not self.in_order:
            return True
        now = self.now()
        return max(now.at - self.since.at, timedelta(seconds=now.ticks - self.since.ticks)) > STALE

    def reading(self) -> Reading:
        """The latest reading, repeated if it is stale. Raises CloudError where that fails, and from then on."""
        with self.lock:
            if self.failed is not None:
                raise self.failed
            for _ in range(2):
                if self.is_stale():
                    self._read_again()
            if self.is_stale():
                self.since = self.now()
            return self.latest

    def _read_again(self) -> None:
        began = self.now()
        try:
            self.latest = self.read()
        except CloudError as error:
            self.failed = Unavailable(f"{self._why()}, and reading it again failed: {error}")
            raise self.failed from error
        self.since, self.in_order = began, True

    def _why(self) -> str:
        minutes = STALE // timedelta(minutes=1)
        return f"the survey is over {minutes} minutes old" if self.in_order else "the list was not read page by page"
