"""What the decisions of one night after the other were based on: exemptions, rejections, and answers about sharing."""

from collections.abc import Callable
from typing import Any

from janitor.core.image import Sharing
from janitor.core.memory import Exemption, Refusals
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.history.streams import Stream
from janitor.store.trust.grounds import READERS


class Known:
    """What was known of the images of a target in a night, by image id; it changes when the next one is read.

    `sharing` are the answers of that night, and `last_sharing` the last usable ones until then.
    """

    def __init__(self, db: Connection, target: str, first: int) -> None:
        self.exemptions: dict[str, Exemption] = {}
        self.refusals: dict[str, Refusals] = {}
        self.sharing: dict[str, Sharing] = {}
        self.last_sharing: dict[str, Sharing] = {}
        self._kinds: dict[str, tuple[dict[str, Any], Callable[[str], Any]]] = {
            "exemption": (self.exemptions, READERS["exemption"]),
            "refusals": (self.refusals, READERS["refusals"]),
            "sharing": (self.sharing, READERS["sharing"]),
        }
        for image, value in db.execute(_ANSWERED_BEFORE, (target, first)):
            self._answered(image, READERS["sharing"](value))
        for kind, image, value in db.execute(_BEFORE, {"target": target, "run": first}):
            self._set(kind, image, value)
        self._over = Stream(db, _OVER, (target, first))
        self._begun = Stream(db, _BEGUN, (target, first))

    def advance(self, run: int) -> None:
        """Take over what changed up to a run."""
        for kind, image in self._over.until(run):
            if kind in self._kinds:
                self._kinds[kind][0].pop(image, None)
        for kind, image, value in self._begun.until(run):
            self._set(kind, image, value)

    def _set(self, kind: str, image: str, value: str) -> None:
        if kind in self._kinds:
            values, read = self._kinds[kind]
            values[image] = read(value)
            if kind == "sharing":
                self._answered(image, values[image])

    def _answered(self, image: str, answer: Sharing) -> None:
        if not answer.unasked and answer.problem is None:
            self.last_sharing[image] = answer


_BEFORE = f"""
SELECT kind, image, value FROM grounds g
WHERE target = :target AND {covering("g", "run")}
"""  # noqa: S608 - a condition of ours
_OVER = "SELECT until_run, kind, image FROM grounds WHERE target = ? AND until_run > ? ORDER BY until_run"
_BEGUN = "SELECT from_run, kind, image, value FROM grounds WHERE target = ? AND from_run > ? ORDER BY from_run"
_ANSWERED_BEFORE = (
    "SELECT image, value FROM grounds WHERE target = ? AND kind = 'sharing' AND from_run < ? ORDER BY from_run"
)
