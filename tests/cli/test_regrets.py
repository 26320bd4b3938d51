"""Regrets as a user sees them in `janitor backtest`, and what one policy would have come to at other values."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from janitor.core.image import Image
from janitor.core.usage import User
from janitor.store import Store
from tests.conftest import Desk
from tests.factories import DAY, NOW, make_image
from tests.new_database import new_database
from tests.planted import NIGHTS, Night, lived_through

CONFIGURATION = """
slack: {webhook_url: "http://localhost/hook"}
mode: dry-run
database: janitor.db
policies: policies.yaml
timezone: Asia/Seoul
targets:
  - {name: prod, api: toast, endpoint: "https://example.com/", appkey: a, username: b, password: c}
"""
POLICIES = """
policies:
  - {name: nightly, match: {name: "ci-*"}, expire: {after: 14d}, keep: {newest: 1, per: policy}}
  - {name: golden, match: {name: "golden-*"}}
"""
EVIL = "ci-`@all`<b>|[x](http://x)\x1b[31m\n"


def aged(name: str, days: float) -> Image:
    """An image that is so old in the first night."""
    created = NOW - days * DAY
    return make_image(name, id=f"id-{days}", created_at=created, updated_at=created)


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """A desk with two weeks: one image is used later, one is renamed, one was in use before, one cannot be read."""
    used, near, renamed, unread, gone, newest = (
        aged(name, days)
        for name, days in [
            (EVIL, 13.5),
            ("ci-near", 14.4),
            ("ci-draft", 15.1),
            ("ci-odd", 12),
            ("ci-gone", 13.4),
            ("ci-z", 0),
        ]
    )
    nights = [Night() for _ in range(NIGHTS)]
    for number, night in enumerate(nights):
        images = [used, near, unread, newest, renamed.replace(name="ci-final" if number > 3 else "ci-draft")]
        images += [gone] if number < 3 else []
        night.images = {image.id: image for image in images}
        night.others = {"other": make_image("other", id="other")}
        night.uses = [(used.id, User("s-1", "web-1"))] if 5 <= number < 8 else []
        night.uses += [(near.id, User("s-2", "web-2"))] if number < 2 else []
    nights[9].images[unread.id] = unread.replace(protected=True, unreadable={"protected": "maybe"})
    desk.write("janitor.yaml", CONFIGURATION)
    desk.write("policies.yaml", POLICIES)
    with Store.open(new_database(desk.folder / "janitor.db")) as store:
        lived_through(nights, store)
    return desk


def test_regrets_come_first_each_with_what_was_done_by_whom_and_when(lived: Desk) -> None:
    done = lived.janitor("backtest", "--target", "prod")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    assert (
        "would have deleted 5 images, 50.0 GiB in 14 nights, 2026-11-23 to 2026-12-06. Regrets: 2 of 5 images: 1"
        in (text)
    )
    assert "1 used, 1 renamed afterwards. 5 images were watched for 1 to 13 days; uses were read in 13 of 13" in text
    assert "A regret: used, protected, exempted, shared or renamed after the night in which it would have been" in text
    assert "used by instance web-1, seen 2026-11-28 12:00 KST to 2026-11-30 12:00 KST" in text
    assert 'renamed from "ci-draft" to "ci-final", seen 2026-11-27 12:00 KST' in text
    assert "Near misses, in use within 7 days before: 1 of 5" in text
    assert "last in use 2026-11-24 12:00 KST, 1 day before" in text
    assert "ci-odd: protected cannot be read (maybe), in run 10: perhaps a regret" in text
    assert "1 of 5 images was watched until removed: for 1 day" in text
    assert text.index("Regrets:") < text.index("Near misses") < text.index("Run Day")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_programs_find_them_at_each_deletion(lived: Desk) -> None:
    found = json.loads(lived.janitor("backtest", "--format", "json", "--target", "prod").stdout)
    assert {key: found["totals"][key] for key in ("regretted", "near_misses", "unwatched")} == {
        "regretted": 2,
        "near_misses": 1,
        "unwatched": 0,
    }
    by_name = {one["name"]: one for night in found["targets"][0]["nights"] for one in night["deletions"]}
    assert by_name[EVIL]["regrets"] == [
        {
            "kind": "used",
            "detail": "used by instance web-1",
            "who": "instance web-1",
            "first_at": "2026-11-28T03:00:00Z",
            "first_run": 6,
            "last_at": "2026-11-30T03:00:00Z",
            "last_run": 8,
        }
    ]
    assert [one["detail"] for one in by_name["ci-odd"]["perhaps"]] == ["protected cannot be read (maybe)"]
    assert (by_name["ci-near"]["near_miss"], by_name["ci-gone"]["watched_nights"]) == (True, 1)
    rows = csv.DictReader(io.StringIO(lived.janitor("backtest", "--format", "csv", "--target", "prod").stdout))
    assert {row["image"]: row["regrets"] for row in rows if row["regrets"]} == {
        "id-13.5": "used by instance web-1 2026-11-28T03:00:00Z",
        "id-15.1": 'renamed from "ci-draft" to "ci-final" 2026-11-27T03:00:00Z',
    }


def test_a_comment_names_them_without_markup_of_others(lived: Desk) -> None:
    text = lived.janitor("backtest", "--format", "markdown", "--target", "prod").stdout
    assert "| Regretted image | Deletion | What was done afterwards |" in text
    assert "| Near miss | Deletion | Last use |" in text
    assert not any(markup in text for markup in ("<b>", "@all", "](http", "\x1b"))
    assert "Regrets: 2 of 5 images: 1 used, 1 renamed afterwards." in text
    assert "| <code>ci-draft</code><br><code>id-15&#46;1</code>, 10.0 GiB | " in text
    assert "| Policy | Would have deleted |\n" in text
    assert "nights in which something would have been deleted</summary>" in text
    lived.amend("cost: {per_gib_month: 0.05, currency: USD}\n")
    assert "| Policy | Would have deleted | Saved |\n" in lived.janitor("backtest", "--format", "markdown").stdout


def test_no_regrets_is_said_where_it_is_true_and_no_more(lived: Desk) -> None:
    policy = "policies: [{name: ci, match: {name: ci-near}, expire: {after: %s}, notice: %s}]"
    cases = [
        ("14d", "0m", "no-regrets", "No regrets, as far as history can tell: 1 image was watched for 11 days;"),
        ("300d", "0m", "nothing-deleted", "Nothing would have been deleted, so there is nothing to regret."),
        (
            "27d",
            "0m",
            "too-early",
            "Too early to tell: no image was watched for 7 days, with its uses, in 2 later nights",
        ),
        ("14d", "30d", "nothing-due", "1 image would have been announced, and none was due within these nights: "),
    ]
    for after, notice, answer, said in cases:
        lived.write("policies.yaml", policy % (after, notice))
        text = " ".join(lived.janitor("backtest").stdout.split())
        assert said in text
        found = json.loads(lived.janitor("backtest", "--format", "json").stdout)
        assert (found["answer"], found["targets"][0]["answer"]) == (answer, answer)
        assert said in found["answer_detail"]
        assert said.partition(":")[0] in lived.janitor("backtest", "--format", "markdown").stdout


def test_what_waits_at_the_end_is_said_of_its_policy(lived: Desk) -> None:
    lived.write("policies.yaml", "policies: [{name: ci, match: {name: ci-near}, expire: {after: 14d}, notice: 30d}]")
    text = lived.janitor("backtest").stdout
    assert "  ci\n    no image; waiting at the end: 1 image, 10.0 GiB\n" in text
    assert "nothing to delete in 14 nights" in text
    assert "Waiting" not in text  # no table of no night
    [policy] = json.loads(lived.janitor("backtest", "--format", "json").stdout)["targets"][0]["policies"]
    assert (policy["policy"], policy["images"], policy["waiting"]) == ("ci", 0, 1)


@pytest.mark.parametrize(
    ("zone", "since", "first"),
    [
        pytest.param("Asia/Seoul", "2026-12-01", 9, id="a-day"),
        pytest.param("America/Los_Angeles", "2026-12-01", 10, id="a-day-in-another-zone"),
        pytest.param("Asia/Seoul", "2026-12-01T12:00:00+09:00", 9, id="an-instant"),
        pytest.param("Asia/Seoul", "2026-12-01T03:00:01Z", 10, id="a-second-later"),
        pytest.param("Asia/Seoul", "5d", 9, id="a-duration"),
    ],
)
def test_the_nights_begin_at_a_date_or_so_long_before_the_last(lived: Desk, zone: str, since: str, first: int) -> None:
    lived.write("janitor.yaml", CONFIGURATION.replace("Asia/Seoul", zone))
    found = json.loads(lived.janitor("backtest", "--since", since, "--target", "prod", "--format", "json").stdout)
    assert [night["run"] for night in found["targets"][0]["nights"]] == list(range(first, NIGHTS + 1))
    assert (found["since_seconds"] is None) == (found["since_at"] is not None) == (since != "5d")
    tried = json.loads(lived.janitor("backtest", "--since", since, "--suggest", "--format", "json").stdout)
    assert (tried["nights"], tried["since_at"]) == (NIGHTS + 1 - first, found["since_at"])


@pytest.mark.parametrize("words", [(), ("--suggest",)])
def test_a_time_without_a_night_is_wrong_usage(lived: Desk, words: tuple[str, ...]) -> None:
    done = lived.janitor("backtest", "--since", "2026-12-07", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "there is no night to replay: prod: no run surveyed it since 2026-12-07 00:00 KST; the last that did was run "
        "14 (2026-12-06 12:00 KST)"
    ) in " ".join(done.stderr.split())
    with closing(sqlite3.connect(lived.folder / "janitor.db")) as db, db:
        values = "'dry-run', '2027-11-01T00:00:00Z', '2027-11-01T00:00:00Z', 'failed'"
        db.execute(f"INSERT INTO runs (run, mode, started_at, finished_at, outcome) VALUES (15, {values})")
        db.execute("INSERT INTO surveys (run, target, outcome, error) VALUES (15, 'prod', 'failed', 'no answer')")
    said = " ".join(lived.janitor("backtest", *words).stderr.split())
    assert "no run surveyed it in the 90d before run 15 (2027-11-01 09:00 KST); the last that did was run 14" in said


def test_the_nights_of_a_suggestion_are_counted_as_those_of_a_backtest(lived: Desk) -> None:
    with closing(sqlite3.connect(lived.folder / "janitor.db")) as db, db:
        db.execute("UPDATE surveys SET usage_problem = '503' WHERE run IN (1, 3) AND target = 'prod'")
    said = "12 nights, 2026-11-24 to 2026-12-06 (2 more do not count)"
    for words in ((), ("--suggest",)):
        assert said in " ".join(lived.janitor("backtest", *words, "--target", "prod").stdout.split())
        assert json.loads(lived.janitor("backtest", *words, "--format", "json").stdout)["nights"] == 12


def suggested(desk: Desk, *words: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = json.loads(desk.janitor("backtest", *words, "--format", "json").stdout)
    return {(one["key"], one["value"]): one for one in found["variants"]}


def test_one_policy_is_tried_at_other_values(lived: Desk) -> None:
    found = suggested(lived, "--target", "prod", "--suggest")
    after, newest = "expire.after", "keep.newest"
    assert list(found) == [
        *((after, days) for days in ("7d", "14d", "30d", "60d", "90d", "180d")),
        *((newest, count) for count in ("1", "2", "3", "5", "10")),
    ]
    assert [key for key, one in found.items() if one["present"]] == [(after, "14d"), (newest, "1")]
    assert found[after, "14d"] == {**found[newest, "1"], "key": after, "value": "14d"}
    figures = {key: (one["images"], one["regretted"], one["near_misses"]) for key, one in found.items()}
    assert figures[after, "7d"] == (5, 2, 1)
    assert figures[after, "14d"] == (5, 2, 1)
    assert figures[after, "30d"] == (0, 0, 0)
    assert figures[newest, "10"] == (0, 0, 0)
    assert found == suggested(lived, "--suggest", "nightly", "--target", "prod")


def test_values_say_from_where_on_nothing_is_regretted_and_what_only_waits(lived: Desk) -> None:
    policy = "policies: [{name: ci, match: {name: ci-near}, expire: {after: 14d}, notice: %s}]"
    lived.write("policies.yaml", policy % "0m")
    said = " ".join(lived.janitor("backtest", "--suggest").stdout.split())
    assert said.startswith("expire.after: without regrets from 7d on: 1 image, 10.0 GiB.")
    lived.write("policies.yaml", policy % "30d")
    said = " ".join(lived.janitor("backtest", "--suggest").stdout.split())
    assert said.startswith("expire.after: nothing was due at any value, up to 1 image waiting at the end: nothing is")
    assert "The notice of 30d did not end within these nights: try the policy without it (`notice: 0`)." in said
    assert "nothing is known yet, by expire.after: 1 at 7d, 1 at 14d." in said
    found = suggested(lived, "--suggest")["expire.after", "14d"]
    assert (found["answer"], found["waiting"]) == ("nothing-due", 1)


def test_each_variant_is_what_a_backtest_of_it_says(lived: Desk) -> None:
    varied = suggested(lived, "--suggest", "--target", "prod")
    for (key, value), one in varied.items():
        new = POLICIES.replace("after: 14d", f"after: {value}") if key == "expire.after" else POLICIES
        new = new.replace("newest: 1", f"newest: {value}") if key == "keep.newest" else new
        lived.write("new.yaml", new)
        found = json.loads(
            lived.janitor("backtest", "--policies", "new.yaml", "--target", "prod", "--format", "json").stdout
        )
        figures = ("images", "size", "regretted", "near_misses", "unwatched")
        assert [found["totals"][word] for word in figures] == [one[word] for word in figures], (key, value)


def test_the_table_marks_what_is_written_now_and_draws_what_is_regretted(lived: Desk) -> None:
    done = lived.janitor("backtest", "--suggest", "nightly", "--target", "prod")
    assert (done.returncode, done.stderr) == (0, "")
    said = " ".join(done.stdout.split())
    assert said.startswith("expire.after: no value that deletes anything is without regrets. keep.newest: ")
    waiting = "Waiting at the end, of which nothing is known yet, by"
    assert f"{waiting} expire.after" not in said  # nothing waits without a notice
    assert "14 dry runs count as nights" in said  # what history cannot tell, as in a plain backtest
    rows = {line[:6].strip(): line for line in done.stdout.splitlines() if line[:2] in ("* ", "  ")}
    assert rows["* 14d"].split()[2:] == ["5", "50.0", "GiB", "2?", "1", "█████████████░░░░░░░░░"]
    assert rows["30d"].split() == ["30d", "0", "–", "–", "–"]
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert (
        "| **14d** (now) | 5 | 50.0 GiB | 2 (and perhaps 1) | 1 |"
        in lived.janitor("backtest", "--suggest", "nightly", "--format", "markdown").stdout
    )
    assert len(lived.janitor("backtest", "--suggest", "nightly", "--format", "csv").stdout.splitlines()) == 12


@pytest.mark.parametrize(
    ("policies", "words", "said"),
    [
        (POLICIES, ("--suggest", "nigtly"), 'there is no policy "nigtly", did you mean "nightly"?'),
        (POLICIES, ("--suggest", "golden"), "golden keeps all it matches, forever; those that expire are nightly"),
        (f"{POLICIES}  - {{name: b, expire: {{after: 1d}}, match: {{name: b}}}}", ("--suggest",), "which: nightly, b"),
        ("policies: [{name: golden, match: {name: g}}]", ("--suggest",), "no policy has `expire`"),
    ],
)
def test_a_policy_that_cannot_be_varied_is_wrong_usage(
    lived: Desk, policies: str, words: tuple[str, ...], said: str
) -> None:
    lived.write("policies.yaml", policies)
    done = lived.janitor("backtest", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
