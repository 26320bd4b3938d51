"""Whether all uses of an image were read, where another target of the database lists it, too."""

import pytest

from janitor.core.image import Image
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import Source, Unread, Usage
from janitor.store import Store
from tests.factories import DAY, NOW, image_called

OURS, OTHER = image_called("ours"), image_called("other")
UNREAD = Usage(unread=frozenset({Unread(Source.SERVERS)}))


@pytest.mark.parametrize(
    ("listed", "usage", "saw"),
    [
        (OURS, UNREAD, False),
        (OURS, Usage(problem="no answer"), False),
        (OURS, Usage(), True),
        (OTHER, UNREAD, True),
    ],
    ids=["unread", "problem", "read", "of-no-concern"],
)
def test_a_night_read_all_uses_only_if_targets_that_list_the_image_did(
    store: Store, listed: Image, usage: Usage, saw: bool
) -> None:
    for night in range(2):
        run, at = store.begin_run(Mode.DRY_RUN, NOW + night * DAY), NOW + night * DAY
        store.record_survey(run, "a", Survey((OURS,), Usage(), at, at))
        store.record_survey(run, "b", Survey((listed,), usage if night else Usage(), at, at))
    with store.past() as past:
        surveys = past.afterwards("a", [OURS.identity], 1).surveys
    assert [each.saw_all_uses for each in surveys] == [True, saw]
