"""What people read of a comparison of two runs first, and what is only counted there."""

from dataclasses import replace
from datetime import UTC

import pytest

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.replay.amounts import Amount
from janitor.core.replay.differences.between import (
    Cause,
    ChangedDecision,
    ChangedUses,
    Compared,
    Difference,
    NewImage,
    Side,
    Use,
)
from janitor.core.result import Mode
from janitor.core.usage import User
from janitor.report.rehearsals.differences.rows import differences_csv
from janitor.report.rehearsals.differences.short import in_short
from janitor.report.rehearsals.differences.text import differences_page
from tests.factories import NOW, image_called

KEPT = (Verdict.KEEP, Reason.TOO_YOUNG)
IN_USE = (Verdict.KEEP, Reason.IN_USE)
EXEMPT = (Verdict.KEEP, Reason.EXEMPT)
WAITS = (Verdict.WAIT, Reason.NOTICE)
DOOMED = (Verdict.DELETE, Reason.EXPIRED)
SIDE = Side(1, Mode.DELETE, NOW, accepted=True, decided=True, amount=Amount())


def decided(name: str, what: tuple[Verdict, Reason]) -> Decision:
    verdict, reason = what
    return Decision(image_called(name), verdict, "old", reason, "so it is")


def turned(*pairs: tuple[tuple[Verdict, Reason], tuple[Verdict, Reason]], **rest: object) -> Difference:
    compared = Compared("prod", SIDE, replace(SIDE, run=2), (), (), (), ChangedUses(), ())
    changes = [
        ChangedDecision(decided(f"i{number}", before), decided(f"i{number}", after), Cause.TIME_PASSED)
        for number, (before, after) in enumerate(pairs)
    ]
    return Difference(replace(compared, **rest), changes)  # type: ignore[arg-type]


SHORT = {
    "nothing": (turned(), "nothing changed"),
    "not-decided": (turned(before=replace(SIDE, decided=False)), "decisions not compared"),
    "the-most-important-first": (
        turned((KEPT, IN_USE), (DOOMED, IN_USE), (DOOMED, EXEMPT), (KEPT, WAITS), (WAITS, DOOMED)),
        "1 newly due for deletion; 1 newly waiting; 2 no longer to be deleted (1 exempted); 1 kept for another reason",
    ),
    "in-another-way": (turned((WAITS, WAITS)), "1 still to be deleted, otherwise than before"),
    "new-images-count": (
        turned(new=[NewImage(image_called("new"), decided("new", WAITS), seen_before=False)]),
        "1 newly waiting; 1 new (10.0 GiB)",
    ),
    "told-first": (turned(told_first=[decided("told", WAITS)]), "1 newly waiting"),
    "uses": (
        turned(uses=ChangedUses(first_read=[Use("one", User("s1", "web-1"), Cause.SOURCES)])),
        "1 use first read, which may be older",
    ),
}


@pytest.mark.parametrize(("found", "words"), SHORT.values(), ids=SHORT)
def test_what_is_to_be_deleted_comes_first(found: Difference, words: str) -> None:
    assert in_short([found], None) == words


def test_what_is_kept_as_before_is_counted_and_other_formats_name_it() -> None:
    found = turned((KEPT, IN_USE), (KEPT, WAITS), (KEPT, IN_USE))
    text = "".join(differences_page([found], None, UTC).plain(80))
    assert [name for name in ("i0", "i1", "i2") if f"    {name} " in text] == ["i1"]
    assert "  Kept for another reason: 2 images\n    Time passed: 2\n    `--format csv` or json names them.\n" in text
    assert text.index("Newly waiting") < text.index("Kept for another reason")
    rows = list(differences_csv([found]))
    assert sum(",decision,i0," in row or ",decision,i2," in row for row in "".join(rows).splitlines()) == 2


def test_a_use_names_its_image() -> None:
    uses = ChangedUses(begun=[Use("one", User("s1", "web-1"), name="ci-1"), Use("two", User("s2", "web-2"))])
    found = turned(uses=uses)
    text = "".join(differences_page([found], None, UTC).plain(80))
    assert "    ci-1 (one): " in text
    assert "    two: " in text
    assert any(",use-begun,one,ci-1," in row for row in differences_csv([found]))


def test_an_image_that_counts_in_several_targets_is_said() -> None:
    def found(*ids: str) -> Difference:
        return turned(new=[NewImage(image_called(image_id), None, seen_before=False) for image_id in ids])

    def text(*some: Difference) -> str:
        return " ".join("".join(differences_page(some, None, UTC).plain(80)).split())

    assert "In all: 3 new (30.0 GiB) 1 image of these changed in several targets, and counts in each" in text(
        found("one", "two"), found("ONE")
    )
    assert "in each" not in text(found("one"), found("two"))
