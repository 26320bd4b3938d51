"""Images and runs as tables on a terminal."""

from janitor.core.result import Mode, Outcome, RunSummary
from janitor.core.survey import Survey
from janitor.core.usage import Usage, User
from janitor.report.tables import ImageList, images_table, runs_table
from tests.factories import NOW, make_image, usage_of
from tests.report.terminal import SEOUL, printed, unfolded


def survey() -> Survey:
    used = make_image("web", protected=True)
    odd = make_image("\x1b[31m", id="odd", status="", created_at=None, size=None, unreadable={"createdAt": "soon"})
    usage = usage_of({used.id: (User("i-1", "web-1\x1b"), User("i-2", "web-2"))})
    return Survey((used, odd), usage, NOW, NOW)


def test_images_are_listed_with_their_facts() -> None:
    text = printed(images_table(ImageList(7, [("prod", survey())]), SEOUL))
    assert text.startswith("Run 7\n")
    assert "── prod ──" in text
    assert "seen 2026-11-23 12:00 KST; 2 owned; 10.0 GiB and 1 of unknown size" in text
    assert "active, created 2026-10-24 12:00 KST, qcow2, protected, used by instance web-1\\x1b and 1 more" in unfolded(
        text
    )
    assert "no status, no creation date, qcow2, unreadable: createdAt" in text


def test_images_of_an_unreadable_usage_say_so() -> None:
    broken = Survey((), Usage(problem="the instance list could not be read: HTTP 500"), NOW, NOW)
    assert "the instance list could not be read: HTTP 500" in printed(
        images_table(ImageList(7, [("prod", broken)]), SEOUL)
    )


def test_a_run_without_surveys_lists_none() -> None:
    assert printed(images_table(ImageList(7, []), SEOUL)) == "Run 7 saw no target\n"


def test_runs_are_listed_a_row_each() -> None:
    runs = [
        RunSummary(13, Mode.DELETE, None, NOW, None, 0, 0, 0),
        RunSummary(12, Mode.DRY_RUN, Outcome.OK, NOW, NOW, 100_000, 2_041, 0),
    ]
    lines = printed(runs_table(runs, SEOUL)).splitlines()
    assert lines[2].split() == ["13", "delete", "unfinished", "2026-11-23", "12:00", "KST", "0", "0", "0"]
    assert lines[3].split() == ["12", "dry-run", "ok", "2026-11-23", "12:00", "KST", "100,000", "2,041", "0"]
