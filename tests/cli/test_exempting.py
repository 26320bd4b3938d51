"""Exemptions in use: by command and in policy files, in runs, and as recorded."""

import json
import os
import pwd
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from janitor.core.decision import Reason
from janitor.core.planning.plan import Limits
from janitor.core.result import Mode, RunResult
from janitor.core.survey import Survey
from janitor.core.units import parse_until
from janitor.core.usage import Usage
from janitor.run.orders import Site
from janitor.sandbox.server import Sandbox
from janitor.store import Store, exclusive
from tests.conftest import POLICY, Desk
from tests.factories import DAY, NOW, OLD, exempt, make_image
from tests.fakes import RecordingCloud
from tests.runs import run_of

NO_CLOUD = """\
targets: [{name: prod, endpoint: "http://127.0.0.1:1", appkey: b, username: c, password: d}]
"""
A, B = make_image("a", id="A-1"), make_image("b", id="b-2")


def perform(store: Store, cloud: RecordingCloud, now: datetime = NOW, **rest: Any) -> RunResult:
    sites = [Site("prod", lambda: cloud)]
    return run_of(sites, [OLD], store, Mode.DELETE, Limits(100, 100), clock=lambda: now, **rest).perform()


def reasons(result: RunResult) -> dict[str, Reason]:
    return {decision.image.id: decision.reason for decision in result.targets[0].decisions}


# Runs


def test_an_exempted_image_survives_until_its_exemption_lapses(store: Store) -> None:
    cloud = RecordingCloud([A, B, make_image("young", age=DAY)])
    store.add_exemptions([("prod", exempt(A))], NOW)

    kept = perform(store, cloud)
    assert cloud.deleted == [B.id]
    (decision,) = (decision for decision in kept.targets[0].decisions if decision.image == A)
    assert (decision.reason, decision.due) == (Reason.EXEMPT, NOW + DAY)
    for words in ("rollback candidate", "kim", "2026-11-24"):
        assert words in decision.detail

    perform(store, cloud, NOW + DAY - timedelta(seconds=1))
    assert cloud.deleted == [B.id]
    perform(store, cloud, NOW + DAY)
    assert cloud.deleted == [B.id, A.id]
    assert [record.exemption for record in store.exemption_records()] == [exempt(A)]


def test_a_date_is_the_same_sentence_on_every_day_and_adds_nothing(store: Store, tmp_path: Path) -> None:
    seoul = ZoneInfo("Asia/Seoul")
    store.add_exemptions([("prod", exempt(A, until=parse_until("2026-12-31", seoul)))], NOW)
    details = [
        perform(store, RecordingCloud([A]), NOW + day * DAY, zone=seoul).targets[0].decisions[0].detail
        for day in range(3)
    ]
    assert details == ["exempt through 2026-12-31 (Asia/Seoul) by kim: rollback candidate"] * 3
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        assert db.execute("SELECT count(*) FROM decisions").fetchone() == (1,)


def test_an_ended_exemption_keeps_nothing(store: Store) -> None:
    cloud = RecordingCloud([A])
    store.add_exemptions([("prod", exempt(A))], NOW)
    store.end_exemptions([("prod", A.id)], "lee", NOW)
    perform(store, cloud)
    assert cloud.deleted == [A.id]


def test_an_exemption_holds_whatever_its_target_is_called_by_now(store: Store) -> None:
    store.add_exemptions([("prod-until-yesterday", exempt(A))], NOW)
    cloud = RecordingCloud([A, B])
    assert reasons(perform(store, cloud)) == {A.id: Reason.EXEMPT, B.id: Reason.EXPIRED}
    assert cloud.deleted == [B.id]


def test_a_policy_file_exempts_by_id_and_by_name(store: Store) -> None:
    result = perform(store, RecordingCloud([A, B]), exemptions=[exempt("a-1"), exempt("b")])
    assert reasons(result) == {A.id: Reason.EXEMPT, B.id: Reason.EXEMPT}


# The history


def test_every_exemption_stays_in_the_history(store: Store) -> None:
    perform(store, RecordingCloud([A]))
    first, second = exempt(A), exempt(A, until=NOW + 9 * DAY)
    store.add_exemptions([("prod", first), ("prod", second)], NOW)
    assert store.exemptions(NOW) == [first, second]
    assert store.exemptions(NOW + DAY) == [second]

    store.end_exemptions([("prod", A.id)], "lee", NOW + 2 * DAY)
    assert store.exemptions(NOW + 2 * DAY) == []
    lapsed, ended = store.exemption_records("prod", A.id)
    assert (lapsed.exemption, lapsed.ended_at, lapsed.ended_by) == (first, None, None)
    assert (ended.exemption, ended.ended_at, ended.ended_by) == (second, NOW + 2 * DAY, "lee")
    assert (ended.created_at, ended.name) == (NOW, "a")


def test_the_history_says_whether_the_image_is_still_listed(store: Store) -> None:
    cloud = RecordingCloud([A, B])
    store.add_exemptions([("prod", exempt(A)), ("prod", exempt("never-seen"))], NOW)
    perform(store, cloud)
    assert [record.listed for record in store.exemption_records()] == [True, False]
    cloud.listed.remove(A)
    perform(store, cloud, accept_survey=True)
    assert [(record.name, record.listed) for record in store.exemption_records()] == [("a", False), (None, False)]


def test_ends_are_told_to_the_microsecond(store: Store) -> None:
    # As texts, 59.999999Z would come before 59Z.
    end = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    store.add_exemptions([("prod", exempt(A, until=end))], NOW)
    assert store.exemptions(end.replace(microsecond=0))
    assert not store.exemptions(end)


# The commands


@pytest.fixture
def surveyed(sandbox_desk: Desk) -> Desk:
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
    return sandbox_desk


def doomed(desk: Desk) -> list[str]:
    result = json.loads(desk.janitor("run", "--dry-run", "--format", "json").stdout)
    return [d["image"] for d in result["targets"][0]["decisions"] if d["verdict"] == "delete"]


def listed(desk: Desk, *words: str) -> list[dict[str, Any]]:
    done = desk.janitor("keep", *(words or ("--list",)), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["exemptions"]  # type: ignore[no-any-return]


def test_what_is_kept_by_command_survives_a_live_run(surveyed: Desk, sandbox: Sandbox) -> None:
    kept, also_kept, *others = doomed(surveyed)
    why = "[b]rollback\n candidate"
    told = surveyed.janitor("keep", kept[:13], also_kept, "--for", "3d", "--why", why, "--by", "k")
    assert (told.returncode, told.stderr) == (0, "")
    assert kept in told.stdout
    assert also_kept in told.stdout

    result = json.loads(surveyed.janitor("run", "--format", "json").stdout)
    assert {d["image"] for d in result["targets"][0]["deletions"]} == set(others)
    exempted = [d for d in result["targets"][0]["decisions"] if d["reason"] == "exempt"]
    assert {d["image"] for d in exempted} == {kept, also_kept}
    assert all("by k: [b]rollback candidate" in d["detail"] and d["due"] for d in exempted)
    assert not {request.image for request in sandbox.requests if request.method == "DELETE"} & {kept, also_kept}

    assert "Exemptions that expire within a week: 2 images" in surveyed.janitor("run").stdout
    assert [(e["image"], e["who"], e["state"], e["expires_soon"]) for e in listed(surveyed)] == [
        (kept, "k", "active", True),
        (also_kept, "k", "active", True),
    ]
    assert surveyed.janitor("keep", "--list").stdout.count("expires within a week") == 2


def test_what_is_no_longer_kept_goes_and_stays_in_the_history(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    surveyed.janitor("keep", kept, "--until", "2999-12-31", "--why", "so", "--by", "kim")
    assert kept not in doomed(surveyed)
    ended = surveyed.janitor("unkeep", kept[:13], "--by", "lee")
    assert (ended.returncode, kept in ended.stdout) == (0, True)
    assert kept in doomed(surveyed)

    assert listed(surveyed) == []
    (past,) = listed(surveyed, "--list", "--all")
    assert (past["state"], past["who"], past["ended_by"], past["until"]) == (
        "ended",
        "kim",
        "lee",
        "2999-12-31T23:59:59.999999Z",
    )
    assert "by kim: so; revoked" in " ".join(surveyed.janitor("explain", kept).stdout.split())
    again = surveyed.janitor("unkeep", kept)
    assert (again.returncode, "has no exemption by `janitor keep`" in again.stderr) == (2, True)


def test_an_image_that_was_listed_in_two_spellings_is_kept_and_no_longer_kept_by_any_of_them(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    undashed = kept.upper().replace("-", "")
    with closing(sqlite3.connect(surveyed.folder / "sandbox.db")) as db, db:
        db.execute("INSERT INTO images (target, image, first_seen, present) VALUES ('sandbox', ?, '', 0)", (undashed,))
    assert surveyed.janitor("keep", undashed, "--for", "30d", "--why", "so").returncode == 0
    assert kept not in doomed(surveyed)
    assert "has no exemption" not in surveyed.janitor("explain", undashed).stdout
    assert surveyed.janitor("unkeep", kept).returncode == 0
    assert kept in doomed(surveyed)


def test_the_longer_of_two_exemptions_counts(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    surveyed.janitor("keep", kept, "--until", "2999-12-31", "--why", "first")
    shorter = surveyed.janitor("keep", kept, "--for", "30d", "--why", "second")
    assert "an earlier exemption holds through 2999-12-31 (UTC)" in shorter.stdout
    assert [(e["why"], e["expires_soon"]) for e in listed(surveyed)] == [("first", False)]
    assert len(listed(surveyed, "--all")) == 2


def test_a_policy_file_exempts_too(surveyed: Desk) -> None:
    by_id, by_name, lapsed, *_ = doomed(surveyed)
    images = surveyed.target("images")["images"]
    name = next(image["name"] for image in images if image["id"] == by_name)
    exempt = [
        {"images": [by_id.upper(), name], "until": "2999-12-31", "why": "see the review"},
        {"image": lapsed, "until": "2020-12-31", "why": "over", "by": "kim"},
    ]
    surveyed.write("policies/exempt.yaml", json.dumps({"exempt": exempt}))

    assert {by_id, by_name, lapsed} & set(doomed(surveyed)) == {lapsed}
    assert [(e["image"], e["who"], e["source"]) for e in listed(surveyed)] == [
        (by_id.upper(), "exempt.yaml", "policy-file"),
        (name, "exempt.yaml", "policy-file"),
    ]
    assert [e["state"] for e in listed(surveyed, "--all")] == ["active", "active", "lapsed"]
    assert "exemptions     ok: 3 in policy files" in surveyed.janitor("check").stdout
    assert surveyed.janitor("unkeep", by_id).returncode == 2


def test_a_day_is_a_day_of_the_configured_zone(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    config = (surveyed.folder / "janitor.yaml").read_text()
    surveyed.write("janitor.yaml", config.replace("UTC", "Asia/Seoul"))
    told = surveyed.janitor("keep", kept, "--until", "2999-12-31", "--why", "so")
    assert "exempt through 2999-12-31 (Asia/Seoul) by" in told.stdout
    assert [e["until"] for e in listed(surveyed)] == ["2999-12-31T14:59:59.999999Z"]
    surveyed.janitor("run", "--dry-run")
    explained = " ".join(surveyed.janitor("explain", kept).stdout.split())
    for shown in (
        "because exempt through 2999-12-31 (Asia/Seoul) by",
        "due exempt through 2999-12-31 (Asia/Seoul)",
        "KST, through 2999-12-31 (Asia/Seoul) by",
        "[exempt] exempt through 2999-12-31 (Asia/Seoul) by",
    ):
        assert shown in explained
    assert "through 2999-12-31 (Asia/Seoul) by" in surveyed.janitor("keep", "--list").stdout


def test_a_time_is_shown_with_its_offset(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    config = (surveyed.folder / "janitor.yaml").read_text()
    surveyed.write("janitor.yaml", config.replace("UTC", "Asia/Seoul"))
    told = surveyed.janitor("keep", kept, "--until", "2999-12-31T18:00:00+09:00", "--why", "so")
    assert "exempt until 2999-12-31 18:00+09:00 by" in told.stdout
    result = json.loads(surveyed.janitor("run", "--dry-run", "--format", "json").stdout)
    (detail,) = (d["detail"] for d in result["targets"][0]["decisions"] if d["image"] == kept)
    assert detail.startswith("exempt until 2999-12-31 18:00+09:00 by")


IMAGE = "IMAGE"
WRONG = [
    pytest.param((IMAGE, "--for", "3d"), "--why is missing", id="no-reason"),
    pytest.param((IMAGE, "--for", "3d", "--why", " \n"), "--why is missing", id="a-blank-reason"),
    pytest.param((IMAGE, "--why", "so"), "either --until DATE or --for DURATION", id="no-end"),
    pytest.param((IMAGE, "--why", "so", "--for", "3d", "--until", "2999-12-31"), "either --until", id="two-ends"),
    pytest.param((IMAGE, "--why", "so", "--until", "2020-12-31"), '"2020-12-31" is in the past', id="the-past"),
    pytest.param((IMAGE, "--why", "so", "--until", "31.12.2999"), "is not a date like 2026-12-31", id="no-date"),
    pytest.param((IMAGE, "--why", "so", "--until", "2999-02-30"), "is not a date like 2026-12-31", id="no-day"),
    pytest.param((IMAGE, "--why", "so", "--for", "3 moons"), "is not a duration like 36h or 14d", id="no-duration"),
    pytest.param((IMAGE, "--why", "so", "--for", "3m"), "is minutes or months: 3min or 3mo?", id="minutes-or-months"),
    pytest.param((IMAGE, "--why", "so", "--for", "0d"), "is not greater than zero", id="nothing"),
    pytest.param((IMAGE, "--why", "so", "--for", "999999w"), "ends after the year 9999", id="longer-than-time"),
    pytest.param((IMAGE, "--why", "so", "--for", "3d", "--by", ""), "--by is missing", id="nobody"),
    pytest.param(("--why", "so", "--for", "3d"), "name the image to exempt", id="no-image"),
    pytest.param((), "name the image to exempt", id="neither-image-nor-term"),
    pytest.param((IMAGE, "zzz", "--why", "so", "--for", "3d"), 'starts with "zzz"', id="one-image-is-unknown"),
    pytest.param((IMAGE, "", "--why", "so", "--for", "3d"), 'starts with ""', id="one-image-is-empty"),
    pytest.param((IMAGE, "--list"), "it exempts no image", id="list-and-keep"),
]


def test_what_is_wrong_is_one_line_and_changes_nothing(surveyed: Desk) -> None:
    image, *_ = doomed(surveyed)
    for case in WRONG:
        words, problem = case.values
        assert isinstance(words, tuple)
        done = surveyed.janitor("keep", *(image if word == IMAGE else word for word in words))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), case.id
        assert str(problem) in done.stderr
    assert listed(surveyed, "--all") == []


def test_an_ambiguous_image_is_told_and_changes_nothing(surveyed: Desk) -> None:
    image, *others = doomed(surveyed)
    firsts = [identity[0] for identity in others]
    shared = next(first for first in firsts if firsts.count(first) > 1)
    done = surveyed.janitor("keep", image, shared, "--for", "3d", "--why", "so")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f'"{shared}" is the start of' in done.stderr
    assert listed(surveyed, "--all") == []


@pytest.fixture
def with_names(desk: Desk) -> Desk:
    """A desk whose runs saw images of one name, some of them no longer, and one with a name of its own."""
    desk.write("janitor.yaml", NO_CLOUD)
    desk.write("policies/old.yaml", POLICY)
    twins = [make_image("twin", id=f"{number:x}-twin") for number in range(12)]
    with Store.open(desk.folder / "janitor.db") as store:
        for images in ([*twins, A, make_image("gone", id="g-1")], [*twins, A]):
            run = store.begin_run(Mode.DRY_RUN, NOW)
            store.record_survey(run, "prod", Survey(tuple(images), Usage(), NOW, NOW))
    return desk


NAMES = [
    pytest.param("gone", "; an image of that name: g-1 in prod, no longer listed", id="no-longer-listed"),
    pytest.param("twin", "; 12 images of that name: 0-twin in prod; 1-twin in prod; ", id="several"),
    pytest.param("twi", "", id="part-of-a-name"),
    pytest.param("tw*", "", id="a-pattern"),
]


@pytest.mark.parametrize(("given", "hint"), NAMES)
@pytest.mark.parametrize("words", [("unkeep",), ("keep", "--for", "3d", "--why", "so")], ids=" ".join)
def test_who_gives_a_name_is_told_the_ids_and_nothing_more(
    with_names: Desk, words: tuple[str, ...], given: str, hint: str
) -> None:
    done = with_names.janitor(*words, given)
    unknown = f'no run has seen an image whose id starts with "{given}"'
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{unknown}{hint}" in done.stderr
    assert hint or done.stderr.endswith(f"{unknown}\n")
    assert ("and 2 more" in done.stderr) is (given == "twin")
    assert listed(with_names, "--all") == []


def test_a_run_at_work_may_have_decided_before_and_that_is_said(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    with exclusive(surveyed.folder / "sandbox.db", "janitor run", NOW):
        done = surveyed.janitor("keep", kept, "--for", "3d", "--why", "so")
    assert done.returncode == 0
    assert "A run is in progress, and may have decided before this" in done.stderr
    assert [e["image"] for e in listed(surveyed)] == [kept]


def test_one_wrong_image_ends_no_exemption(surveyed: Desk) -> None:
    kept, other, *_ = doomed(surveyed)
    surveyed.janitor("keep", kept, "--for", "3d", "--why", "so")
    for wrong in ("zzz", other):
        assert surveyed.janitor("unkeep", kept, wrong).returncode == 2
    assert [e["image"] for e in listed(surveyed)] == [kept]


def test_before_the_first_run_there_is_nothing_to_keep_but_a_list(sandbox_desk: Desk) -> None:
    done = sandbox_desk.janitor("keep", "a", "--for", "3d", "--why", "so")
    assert (done.returncode, "janitor run --dry-run" in done.stderr) == (2, True)
    sandbox_desk.write("policies/old.yaml", "exempt: [{image: a, until: 2999-12-31, why: so}]\n" + POLICY)
    assert [e["image"] for e in listed(sandbox_desk)] == ["a"]
    assert not (sandbox_desk.folder / "sandbox.db").exists()


def test_the_user_is_named_where_nobody_else_is(surveyed: Desk) -> None:
    kept, *_ = doomed(surveyed)
    surveyed.janitor("keep", kept, "--for", "3d", "--why", "so")
    assert [e["who"] for e in listed(surveyed)] == [pwd.getpwuid(os.getuid()).pw_name]
