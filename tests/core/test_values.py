"""The values that there are for every image: frozen, equal by every field, and nothing for the garbage collector."""

import gc
from datetime import datetime, timedelta
from typing import Any

import pytest

from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.value import Value
from tests.factories import NOW, make_image, too_young

IMAGE = make_image(id="a")
VALUES = [
    pytest.param(IMAGE, id="image"),
    pytest.param(too_young(IMAGE), id="decision"),
    pytest.param(History(NOW, NOW), id="history"),
]


class Namesake(Image, frozen=True):
    """A class of its own with the same fields."""


def another(now: object) -> Any:
    """A value of the same kind that is not equal to it."""
    match now:
        case bool():
            return not now
        case dict():
            return {"another": "one"}
        case datetime():
            return now + timedelta(days=1)
        case _:
            return "another"


@pytest.mark.parametrize("value", VALUES)
def test_values_are_equal_if_all_of_their_fields_are(value: Value) -> None:
    assert value == value.replace()
    assert value.fields()
    for name in value.fields():
        changed = value.replace(**{name: another(getattr(value, name))})
        assert value != changed
        assert [each for each in value.fields() if getattr(value, each) != getattr(changed, each)] == [name]


def test_a_value_equals_none_of_another_class() -> None:
    facts = {name: getattr(IMAGE, name) for name in Image.fields()}
    assert Namesake(**facts) == Namesake(**facts)
    assert Namesake(**facts) != IMAGE


@pytest.mark.parametrize("value", VALUES)
def test_a_value_cannot_be_changed_and_has_no_other_fields(value: Value) -> None:
    with pytest.raises(AttributeError):
        setattr(value, value.fields()[0], "another")
    with pytest.raises(TypeError):
        value.replace(another="one")


@pytest.mark.parametrize("value", VALUES)
def test_the_garbage_collector_looks_at_no_value(value: Value) -> None:
    assert not gc.is_tracked(value)


def test_each_image_has_properties_of_its_own() -> None:
    first, second = make_image(id="a"), make_image(id="a")
    assert first == second
    assert first.properties is not second.properties
    assert first.unreadable is not second.unreadable
