"""A database with something in every table."""

from datetime import timedelta
from pathlib import Path

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import User
from janitor.store import Store
from tests.factories import make_image, usage_of
from tests.store.recorded import NOW

IMAGES = tuple(
    make_image(f"ci-{number}", id=f"{number:04}", created_at=NOW - timedelta(days=30), updated_at=NOW)
    for number in range(400)
)


def fill(path: Path) -> None:
    """Two runs, with something in every table."""
    with Store.open(path) as store:
        for changed in ("queued", "active"):
            images = tuple(image.replace(status=changed) for image in IMAGES)
            decisions = [Decision(i, Verdict.DELETE, "ci", Reason.EXPIRED, f"expired, {changed}") for i in images]
            run = store.begin_run(Mode.DELETE, NOW)
            usage = usage_of({image.id: (User("i", "web"),) for image in images[:50]})
            store.record_survey(run, "prod", Survey(images, usage, NOW, NOW))
            store.record_decisions(run, "prod", decisions)
            for decision in decisions[:100]:
                store.journal_request(run, "prod", decision, NOW)
