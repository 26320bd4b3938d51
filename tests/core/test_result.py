"""The plan of a target's result follows from its decisions and from what was approved, however often it is asked."""

from dataclasses import replace

from tests.factories import make_image, make_target, replace_in, to_delete, to_keep

FIRST, SECOND = (to_delete(make_image(name, id=name)) for name in ("a", "b"))
KEPT = to_keep(make_image("c", id="c"))


def test_the_plan_is_looked_for_once() -> None:
    target = make_target([FIRST, KEPT, SECOND])
    assert target.to_delete == (FIRST, SECOND)
    assert target.to_delete is target.to_delete


def test_a_changed_result_has_a_plan_of_its_own() -> None:
    target = make_target([FIRST, KEPT, SECOND])
    assert target.to_delete == (FIRST, SECOND)
    assert replace_in(target, approved=frozenset({"b"})).to_delete == (SECOND,)
    assert replace(target, decisions=(KEPT, FIRST)).to_delete == (FIRST,)
    assert replace(target, decisions=()).to_delete == ()


def test_asking_for_the_plan_changes_nothing() -> None:
    asked, other = make_target([FIRST, KEPT]), make_target([FIRST, KEPT])
    assert asked.to_delete
    assert (asked, repr(asked)) == (other, repr(other))
