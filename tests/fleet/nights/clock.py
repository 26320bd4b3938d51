"""The simulated clock of a fleet: the real one, set forward by as much as a file says."""

from datetime import datetime, timedelta
from pathlib import Path

from janitor.clock import utc_now


class Clock:
    """What time it is for every process that reads this file; it never goes back."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=float(self._file.read_text()))

    def begin(self) -> None:
        self._file.write_text("0")

    def forward(self, by: timedelta) -> None:
        """Set it forward, at once for all."""
        new = self._file.with_suffix(".new")
        new.write_text(str(float(self._file.read_text()) + by.total_seconds()))
        new.replace(self._file)
