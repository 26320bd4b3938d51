"""Images and reports of which only some images are asked for, sorted or not, as text, JSON and CSV."""

import csv
import io
import json
import re
from typing import Any

import pytest

from tests.conftest import Desk

POLICIES = """\
policies:
  - name: golden
    match: {name: "golden-*"}
  - name: old
    match: {name: "*"}
    expire: {after: 14d}
"""


@pytest.fixture
def surveyed(sandbox_desk: Desk) -> Desk:
    """A desk with one dry run."""
    sandbox_desk.write("policies/old.yaml", POLICIES)
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
    return sandbox_desk


def decisions(desk: Desk, *words: str) -> list[dict[str, Any]]:
    return list(desk.target("show", "1", *words)["decisions"])


def rows(desk: Desk, *words: str) -> list[dict[str, str]]:
    done = desk.janitor(*words, "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


CHOICES = [
    pytest.param(("--policy", "old"), lambda d: d["policy"] == "old", id="policy"),
    pytest.param(
        ("--policy", "old", "--policy", "golden"), lambda d: d["policy"] in ("old", "golden"), id="two-policies"
    ),
    pytest.param(("--verdict", "delete"), lambda d: d["verdict"] == "delete", id="verdict"),
    pytest.param(("--reason", "too-young"), lambda d: d["reason"] == "too-young", id="reason"),
    pytest.param(("--name", "ci-*"), lambda d: (d["name"] or "").startswith("ci-"), id="glob"),
    pytest.param(("--name", "/^ci-.*1$/"), lambda d: re.match("ci-.*1$", d["name"] or ""), id="expression"),
    pytest.param(
        ("--verdict", "keep", "--policy", "old", "--name", "*web*"),
        lambda d: d["verdict"] == "keep" and d["policy"] == "old" and "web" in (d["name"] or ""),
        id="all-of-them",
    ),
    pytest.param(("--target", "sandbox"), lambda _: True, id="target"),
]


@pytest.mark.parametrize(("words", "takes"), CHOICES)
def test_only_what_is_asked_for_is_shown(surveyed: Desk, words: tuple[str, ...], takes: Any) -> None:
    wanted = [d["image"] for d in decisions(surveyed) if takes(d)]
    assert wanted
    assert [d["image"] for d in decisions(surveyed, *words)] == wanted
    assert [image["id"] for image in surveyed.target("images", *words)["images"]] == wanted
    assert [row["image"] for row in rows(surveyed, "images", *words)] == wanted
    assert [row["image"] for row in rows(surveyed, "show", "latest", *words)] == wanted
    text = surveyed.janitor("images", *words).stdout
    assert text.startswith(f"Run 1: {len(wanted)} of {len(decisions(surveyed))} images\n")


@pytest.mark.parametrize(
    ("order", "key"),
    [
        pytest.param("name", lambda image: (image["name"] is None, image["name"] or "", image["id"]), id="name"),
        pytest.param("size", lambda image: (image["size"] is None, -(image["size"] or 0), image["id"]), id="size"),
        pytest.param(
            "created", lambda image: (image["created_at"] is None, image["created_at"] or "", image["id"]), id="created"
        ),
        pytest.param("status", lambda image: (image["status"], image["id"]), id="status"),
    ],
)
def test_images_are_sorted_and_unknown_values_come_last(surveyed: Desk, order: str, key: Any) -> None:
    images = surveyed.target("images", "--sort", order)["images"]
    assert [image["id"] for image in images] == [image["id"] for image in sorted(images, key=key)]
    assert [d["image"] for d in decisions(surveyed, "--sort", order)] == [image["id"] for image in images]


def test_what_is_due_first_comes_first(surveyed: Desk) -> None:
    due = [d["due"] for d in decisions(surveyed, "--sort", "due")]
    known = [date for date in due if date is not None]
    assert known == sorted(known)
    assert due == [*known, *[None] * (len(due) - len(known))]


def test_without_options_nothing_differs(surveyed: Desk) -> None:
    whole = surveyed.janitor("show", "1", "--format", "json").stdout
    assert surveyed.janitor("show", "latest", "--format", "json").stdout == whole
    every = surveyed.janitor("images", "--target", "sandbox", "--format", "json").stdout
    assert surveyed.janitor("images", "--format", "json").stdout == every


def test_a_report_of_some_images_says_so(surveyed: Desk) -> None:
    text = " ".join(surveyed.janitor("show", "1", "--verdict", "delete").stdout.split())
    some, every = len(decisions(surveyed, "--verdict", "delete")), len(decisions(surveyed))
    assert text.startswith(f"A part of this dry run: {some} of {every} images Image Janitor run 1,")


@pytest.mark.parametrize("command", [("images",), ("show", "latest")], ids=" ".join)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--policy", "odl"), 'there is no "odl", did you mean "old"? there is golden, old', id="policy"),
        pytest.param(("--target", "prod"), '--target: there is no "prod"; there is sandbox', id="target"),
        pytest.param(("--verdict", "delet"), 'did you mean "delete"? there is keep, wait, delete', id="verdict"),
        pytest.param(("--reason", "young"), '--reason: there is no "young"', id="reason"),
        pytest.param(("--sort", "nmae"), '"nmae", did you mean "name"? there is name, size, created', id="sort"),
        pytest.param(("--name", "[a"), '--name: "[a" has a [ without its ]', id="glob"),
        pytest.param(("--name", "/(/"), "--name: ", id="expression"),
    ],
)
def test_an_unknown_word_is_wrong_usage_and_the_known_ones_are_named(
    surveyed: Desk, command: tuple[str, ...], words: tuple[str, ...], said: str
) -> None:
    done = surveyed.janitor(*command, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_no_name_in_a_csv_file_is_a_formula(surveyed: Desk) -> None:
    for words in (("images",), ("show", "1")):
        assert not [row for row in rows(surveyed, *words) if row["name"].startswith(("=", "+", "-", "@"))]


def test_runs_are_listed_for_programs(surveyed: Desk) -> None:
    surveyed.janitor("run", "--dry-run")
    listed = json.loads(surveyed.janitor("runs", "--format", "json").stdout)["runs"]
    assert [run["run"] for run in listed] == [2, 1]
    assert {run["mode"] for run in listed} == {"dry-run"}
    assert all(run["started_at"].endswith("Z") and run["outcome"] == "ok" for run in listed)


def test_latest_is_the_latest_run(surveyed: Desk) -> None:
    surveyed.janitor("run", "--dry-run")
    assert json.loads(surveyed.janitor("show", "latest", "--format", "json").stdout)["run"] == 2
    assert surveyed.janitor("show", "newest").returncode == 2
