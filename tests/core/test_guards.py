"""Guards over many images give the decisions of the guards that are asked one after the other."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.exemptions import FOREVER
from janitor.core.guards import NEWBORN, Facts, Guards, guarded
from janitor.core.image import CONTRADICTED, UNSEEN, Status
from janitor.core.memory import History, Memory
from janitor.core.names.image_ids import folded
from janitor.core.needs import Needs
from janitor.core.usage import Source, Unread, Usage, User, UserKind
from tests.factories import DAY, NOW, exempt, make_image, usage_of

TICK = timedelta(microseconds=1)
NOTES = {UNSEEN: "forbidden", "size": "?", "name": f"{CONTRADICTED}a and as b", "protected": "?", "owner": "?"}
USERS = [User("s1", "web"), User("t", "text", UserKind.REFERENCE), User("i", "child", UserKind.IMAGE)]


def changed(ordinary: dict[str, Any], others: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The ordinary parts, and these with one of them changed, for each other value of each."""
    return [ordinary, *(ordinary | {part: value} for part, values in others.items() for value in values)]


IMAGE: dict[str, Any] = {"id": "a", "age": 30 * DAY}
IMAGES: dict[str, list[Any]] = {
    "id": ["A", "b"],
    "status": [*Status, "unheard-of"],
    "public": [True],
    "protected": [True],
    "owned": [False],
    "created_at": [None, NOW + TICK, NOW, NOW - NEWBORN + TICK, NOW - NEWBORN],
    "disk_format": ["aki", None],
    "unreadable": [{key: words} for key, words in NOTES.items()],
}
FACT: dict[str, Any] = {
    "usage": Usage(),
    "history": {},
    "memory": Memory(usage_memory=3 * DAY),
    "now": NOW,
    "zone": UTC,
    "needs": Needs(),
}
FACTS: dict[str, list[Any]] = {
    "usage": [
        usage_of({"a": (USERS[0],)}),
        usage_of({"A": tuple(USERS)}),
        usage_of({"a": (USERS[1],)}),
        Usage(problem="HTTP 500"),
        Usage(unread=frozenset({Unread(Source.VOLUMES)})),
    ],
    "history": [
        {"a": History(NOW)},
        {"a": History(NOW, last_held=NOW)},
        {"a": History(NOW, last_held=NOW - DAY, unused_since=NOW)},
        {"a": History(NOW, last_held=NOW - 9 * DAY, unused_since=NOW)},
    ],
    "memory": [
        Memory(),
        Memory(exemptions={"a": exempt("a")}),
        Memory(exemptions={"a": exempt("a", NOW)}),
        Memory(exemptions={"a": exempt("a", FOREVER)}),
    ],
    "needs": [Needs({folded("a"): "the kernel of image b"}), Needs(doubtful=make_image("b"))],
}


@pytest.mark.parametrize("parts", changed(FACT, FACTS))
def test_guards_over_many_images_are_those_over_each(parts: dict[str, Any]) -> None:
    facts = Facts(**parts)
    guards = Guards(facts)
    for each in changed(IMAGE, IMAGES):
        image = make_image("web", **each)
        assert guards.on(image) == guarded(image, facts)


@given(st.data())
def test_so_they_are_where_several_things_are_unusual(data: st.DataObject) -> None:
    def drawn(ordinary: dict[str, Any], others: dict[str, list[Any]]) -> dict[str, Any]:
        return {**ordinary, **{part: data.draw(st.sampled_from(values)) for part, values in others.items()}}

    some_facts = {part: FACTS[part] for part in data.draw(st.sets(st.sampled_from(sorted(FACTS))))}
    some = {part: IMAGES[part] for part in data.draw(st.sets(st.sampled_from(sorted(IMAGES))))}
    facts, image = Facts(**drawn(FACT, some_facts)), make_image("web", **drawn(IMAGE, some))
    assert Guards(facts).on(image) == guarded(image, facts)
