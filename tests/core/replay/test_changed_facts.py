"""Facts of an image that differ between two surveys, and those that one of the two was not told."""

import pytest

from janitor.core.image import MISSING
from janitor.core.replay.differences.facts import ChangedImage, unread_facts
from tests.factories import image_called

IMAGE = image_called("ci-1", owner="a-project", owned=True, tags=("a", "b"))


@pytest.mark.parametrize(
    ("now", "fields", "untold"),
    [
        ({"size": None}, (), ("size",)),
        ({"owner": None, "owned": False}, (), ("owner",)),
        ({"owner": "another", "owned": False}, ("owned", "owner"), ()),
        ({"created_at": None, "status": "queued"}, ("status",), ("created_at",)),
        ({"tags": None}, (), ("tags",)),
        ({"tags": ("a", "a", "b")}, (), ()),
        ({"tags": ("a",)}, ("tags",), ()),
        ({"name": None}, ("name",), ()),
        ({"protected": True, "unreadable": {"protected": "perhaps"}}, ("unreadable",), ()),
        ({"owner": None, "owned": False, "unreadable": {"owner": MISSING}}, (), ("owner",)),
        ({"created_at": None, "unreadable": {"created_at": MISSING}}, (), ("created_at",)),
        ({"created_at": None, "unreadable": {"created_at": "soon"}}, ("unreadable",), ()),
        ({"tags": None, "unreadable": {"tags": MISSING, "status": "odd"}}, ("unreadable",), ("tags",)),
    ],
)
def test_a_fact_that_is_not_told_once_has_not_changed(
    now: dict[str, object], fields: tuple[str, ...], untold: tuple[str, ...]
) -> None:
    later = IMAGE.replace(**now)
    for before, after in ((IMAGE, later), (later, IMAGE)):
        changed = ChangedImage(before, after)
        assert (sorted(changed.fields), changed.untold) == (sorted(fields), untold)


def test_whether_an_image_is_our_own_can_change_where_an_api_has_no_owners() -> None:
    without = IMAGE.replace(owner=None)
    assert unread_facts(without, without.replace(owned=False)) == frozenset()
