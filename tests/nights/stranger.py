"""Another account behind the same target: by a mistake in the configuration, or another service behind an endpoint."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from unittest import mock

from janitor.config import Settings, load_settings
from janitor.core.result import Outcome, RunResult
from tests import in_process as sandbox_in_process
from tests.in_process import in_process
from tests.nights.account import Account
from tests.nights.clockwork import Carrier, Clockwork
from tests.nights.ground import Broken, rows

_ELSEWHERE = "http://elsewhere.invalid"
_EXPIRED = 4
_PROTECTED = 30  # so that their number does not distinguish it from ours
_LONG_AGO, _A_WHILE = timedelta(days=200), timedelta(days=2)
_CLAIMS = """
SELECT image, settled_outcome FROM deletions
WHERE target = ? AND settled_in_run = (SELECT max(run) FROM runs) AND settled_outcome IN ('deleted', 'already-gone')
"""


class Stranger:
    """An account of the same kind, with as many expired images as any limit allows.

    It differs from ours by its endpoint, or if that is `hidden`, only by what it lists.
    """

    def __init__(self, draw: Random, clockwork: Clockwork, account: Account, *, hidden: bool) -> None:
        options = replace(account.cloud.options, seed=draw.randrange(10**6), oddities=False)
        with mock.patch.object(sandbox_in_process, "_ORIGIN", "http://sandbox.invalid" if hidden else _ELSEWHERE):
            self._sandbox, http_transport = in_process(options, lambda: clockwork.now)
        self._account = account
        self.http_transport = Carrier(clockwork, http_transport)
        images = list(self._sandbox.account.images)
        draw.shuffle(images)
        for number, image in enumerate(images):
            made = clockwork.now - (_LONG_AGO if number < _EXPIRED else _A_WHILE)
            protected = _EXPIRED <= number < _EXPIRED + _PROTECTED
            self._sandbox.account.change_image(image, created_at=made, updated_at=made, protected=protected)

    def settings(self, path: Path, usual: Settings) -> Settings:
        """The configuration that leads here, where nothing else is another one."""
        text = self._account.cloud.configured(self._sandbox.configuration(mode="delete", policies="policies.yaml"))
        path.write_text(text, encoding="utf-8")
        return replace(usual, targets=load_settings(path, {}).targets)

    def check(self, result: RunResult | None, database: Path, now: datetime) -> None:
        """It is only read, and no image of ours is reported as gone. Raises Broken."""
        if asked := [request.image for request in self._sandbox.requests if request.name == "delete-image"]:
            raise Broken(f"{asked} of another account were sent a delete at {now}")
        if gone := [row["image"] for row in rows(database, _CLAIMS, self._account.target)]:
            raise Broken(f"{gone} are settled as gone by the list of another account")
        if result is not None and result.outcome is Outcome.OK:
            raise Broken("a run that saw another account ends well")
