"""`python -m benchmarks.nightly DATABASE TARGET IMAGES NIGHTS CHURN`: makes a database of many nights.

In each of them images came, left and changed, and others were used than before. It records what runs record, but no
decisions: those are made again. A process of its own, because its memory would count into the peaks of what is measured
after it.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from janitor.core.basis import Basis, Grounds
from janitor.core.image import Image
from janitor.core.memory import Memory
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.plan import Limits
from janitor.core.result import Mode, Outcome, RunResult, SurveySummary, TargetResult
from janitor.core.survey import Survey
from janitor.core.survey.plausibility import Measure
from janitor.core.usage import Usage, User
from janitor.store import Store

_DAY = timedelta(days=1)
_FAMILIES = ("ci-web", "ci-api", "bake", "golden-db", "runner", "batch", "edge-proxy", "nightly")
_GIB = 2**30


class Nights:
    """An account of so many images, of which a share is new in each night, and as many are gone.

    A tenth of the images are in use, and of these as many come into use each night as the others cease to be.
    """

    def __init__(self, images: int, churn: int, begins: datetime) -> None:
        self._random = random.Random(images)
        self._number = 0
        self._churn = churn
        self.now = begins
        self._images = [self._image(timedelta(days=self._random.uniform(0, 400))) for _ in range(images)]
        self._images.sort(key=lambda image: image.created_at or begins)
        self._used = {image.identity: self._user() for image in self._random.sample(self._images, images // 10)}

    def survey(self) -> Survey:
        """What a survey of this night sees."""
        digests = {image.id: image.status.encode() for image in self._images}
        usage, began = Usage(dict(self._used)), self.now - timedelta(minutes=1)
        return Survey(tuple(self._images), usage, began, self.now, digests=digests)

    def pass_on(self) -> None:
        """The next night."""
        self.now += _DAY
        gone = set(self._random.sample(range(len(self._images)), self._churn))
        kept = [image for place, image in enumerate(self._images) if place not in gone]
        for place in self._random.sample(range(len(kept)), self._churn // 4):
            status = "deactivated" if kept[place].status == "active" else "active"
            kept[place] = kept[place].replace(status=status, updated_at=self.now)
        self._images = [*kept, *(self._image(timedelta(hours=self._random.uniform(1, 24))) for _ in range(self._churn))]
        for ended in list(islice(self._used, self._churn // 4)):
            del self._used[ended]
        self._used |= dict(self._begun(self._churn // 4))

    def _begun(self, count: int) -> Iterator[tuple[ImageId, tuple[User, ...]]]:
        for image in self._random.sample(self._images, count):
            yield image.identity, self._user()

    def _user(self) -> tuple[User, ...]:
        self._number += 1
        return (User(f"instance-{self._number}", f"vm-{self._number}", source="servers"),)

    def _image(self, age: timedelta) -> Image:
        self._number += 1
        family = self._random.choice(_FAMILIES)
        created = self.now - age
        return Image(
            f"{self._number:08x}-0000-4000-8000-000000000000",
            f"{family}-{self._random.randrange(40)}-{self._number}",
            "active",
            False,
            False,
            created,
            created,
            self._random.randrange(1, 40) * _GIB,
            "qcow2",
            properties={"family": family},
        )


def main() -> None:
    """Record the nights of an account, as runs do."""
    database, target, *numbers = sys.argv[1:]
    images, count, churn = map(int, numbers)
    nights = Nights(images, churn, datetime(2026, 6, 1, 3, tzinfo=UTC))
    basis = Basis((), (), UTC, timedelta(days=2), Limits(), 30.0, accept_survey=False)
    with Store.open(Path(database)) as store:
        for _ in range(count):
            _record(store, target, nights, basis)
            nights.pass_on()


def _record(store: Store, target: str, nights: Nights, basis: Basis) -> None:
    at, survey = nights.now, nights.survey()
    run = store.begin_run(Mode.DELETE, at, owes_report=False, unposted=False, begun_by=None)
    store.record_basis(run, basis)
    store.record_survey(run, target, survey)
    store.record_measure(run, target, Measure(len(survey.images), 0, 0), good=True)
    store.record_decisions(run, target, (), Grounds(Memory(usage_memory=basis.usage_memory)))
    result = TargetResult(target, Outcome.OK, survey=SurveySummary(len(survey.images), len(survey.images)))
    store.finish_run(RunResult(run, Mode.DELETE, Outcome.OK, at, at, (result,)))


if __name__ == "__main__":
    main()
