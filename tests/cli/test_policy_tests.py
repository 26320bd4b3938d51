"""`janitor test`, and tests of policies in `janitor check` and in runs: as commands, in a folder of policies."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from janitor.cli.commands.beginning.shipped import shipped_policies
from tests.conftest import Desk

CI = """\
policies:
  - {name: ci-images, match: {name: "ci-*"}, expire: {after: 14d}}
  - {name: golden, match: {name: "golden-*"}}
"""
TEST = """\
now: 2026-06-01
images:
  - {name: ci-web-41, age: 20d}
  - {name: ci-web-43, age: 13d}
expect:
  ci-web-41: {delete: ci-images}
  ci-web-43: {keep: too-young, due: 2026-06-02}
"""
FAILING = TEST.replace("06-02", "06-03")
FAILURE = (
    "policies/ci.test.yaml:7: ci-web-43: expected keep (too-young), due 2026-06-03; decided keep (too-young), policy "
    "ci-images, due 2026-06-02 00:00Z: created 2026-05-19, expires 2026-06-02 (14d after creation)"
)
CONFIGURED = "targets: [{name: prod, appkey: appkey-appkey, username: someone, password: password-password}]\n"
BARE = "There is no janitor.yaml here: dates are in UTC, and uses are remembered for 3d.\n"


@pytest.fixture
def desk_with_tests(desk: Desk) -> Desk:
    """A folder with policies and a test that holds, and without a configuration."""
    desk.write("policies/ci.yaml", CI)
    desk.write("policies/ci.test.yaml", TEST)
    return desk


def test_all_hold(desk_with_tests: Desk) -> None:
    done = desk_with_tests.janitor("test")
    assert (done.returncode, done.stderr) == (0, BARE)
    assert done.stdout == "no test has an image of golden\n2 expectations hold in 1 file\n"


def test_one_fails(desk_with_tests: Desk) -> None:
    desk_with_tests.write("policies/ci.test.yaml", FAILING)
    done = desk_with_tests.janitor("test", "policies/ci.test.yaml")
    assert done.returncode == 1
    assert done.stdout == f"{FAILURE}\n1 expectation holds, 1 fails in 1 file\n"


def test_the_policies_are_those_beside_the_test_unless_others_are_named(desk_with_tests: Desk) -> None:
    desk_with_tests.write("other/o.yaml", CI.replace("14d", "30d"))
    desk_with_tests.write("tests/ci.test.yaml", TEST)
    assert desk_with_tests.janitor("test", "policies").returncode == 0
    assert desk_with_tests.janitor("test", "policies", "--policies", "other").returncode == 1
    assert desk_with_tests.janitor("test", "tests", "--policies", "policies").returncode == 0
    alone = desk_with_tests.janitor("test", "tests")
    assert (alone.returncode, alone.stderr) == (
        2,
        "janitor: no policies are beside these tests, in tests: say with --policies where they are\n",
    )


def test_json_has_every_expectation(desk_with_tests: Desk) -> None:
    desk_with_tests.write("policies/ci.test.yaml", FAILING)
    done = desk_with_tests.janitor("test", "--format", "json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["holding"], shown["failing"], shown["unexercised"]) == (1, 1, 1, ["golden"])
    [file] = shown["files"]
    assert [each["holds"] for each in file["expectations"]] == [True, False]
    assert file["expectations"][1]["expected"] == {
        "verdict": "keep",
        "reason": "too-young",
        "policy": None,
        "due": "2026-06-03",
    }
    assert file["expectations"][1]["decided"]["due"] == "2026-06-02T00:00:00Z"


def test_junit_survives_any_name(desk_with_tests: Desk) -> None:
    name = '<b>&"\\u0007\\x1b]]>'
    test = (
        f'now: 2026-06-01\nimages: [{{name: "{name}"}}, {{name: ci-1}}]\nexpect: {{"{name}": delete, ci-1: delete}}\n'
    )
    desk_with_tests.write("policies/ci.test.yaml", test.replace('&"', '&\\"'))
    done = desk_with_tests.janitor("test", "--format", "junit")
    root = ET.fromstring(done.stdout)
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "3", "1")
    suite, _ = root
    assert suite.get("name") == "policies/ci.test.yaml"
    failing, holding = suite
    assert (failing.get("name"), failing.get("line")) == ('<b>&"\\x07\\x1b]]>', "3")
    [failure] = failing
    assert failure.tag == "failure"
    assert "decided keep (unmatched): no policy matches it" in str(failure.get("message"))
    assert list(holding) == []


def test_junit_has_policies_without_a_test_as_skipped(desk_with_tests: Desk) -> None:
    desk_with_tests.write("policies/more.yaml", 'policies: [{name: "<b>&]]>", match: {name: x}}]\n')
    root = ET.fromstring(desk_with_tests.janitor("test", "--format", "junit").stdout)
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("4", "0", "2")
    suite = root[1]
    assert (suite.get("name"), suite.get("tests"), suite.get("skipped")) == ("policies without a test", "2", "2")
    assert [case.get("name") for case in suite] == ["golden", "<b>&]]>"]
    assert [[each.tag for each in case] for case in suite] == [["skipped"], ["skipped"]]
    whole = ET.fromstring(desk_with_tests.janitor("test", "policies/ci.test.yaml", "--format", "junit").stdout)
    assert (whole.get("skipped"), len(whole)) == ("0", 1)


def test_of_many_policies_without_a_test_the_first_are_named(desk_with_tests: Desk) -> None:
    many = [{"name": f"p{number}", "match": {"name": f"p{number}"}} for number in range(300)]
    desk_with_tests.write("policies/many.yaml", json.dumps({"policies": many}))
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    for command in ("test", "check"):
        said = " ".join(desk_with_tests.janitor(command).stdout.split())
        assert "no test has an image of golden, p0, p1, " in said
        assert ", p18 and 281 more" in said
    assert len(json.loads(desk_with_tests.janitor("test", "--format", "json").stdout)["unexercised"]) == 301


@pytest.mark.parametrize("name", ["ci.tests.yaml", "ci-test.yaml", "ci.Test.yml", "checks.yaml"])
def test_a_test_of_another_name_is_told_its_name(desk_with_tests: Desk, name: str) -> None:
    desk_with_tests.write(f"policies/{name}", TEST)
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    said = f"policies/{name}: looks like a test of policies, and is read as policies: name it *.test.yaml\n"
    for command in ("test", "check", "run"):
        done = desk_with_tests.janitor(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.count(name) == 1


def test_what_is_named_like_a_test_and_not_run_is_named(desk_with_tests: Desk) -> None:
    for name in ("ci.test.json", "tests/ci.test.yaml", "TEST.YAML", "latest.txt", "tests.md", ".test.json"):
        desk_with_tests.write(f"policies/{name}", TEST)
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    rule = "tests of policies are *.test.yaml or *.test.yml files beside the policies"
    done = desk_with_tests.janitor("test")
    assert (done.returncode, done.stderr) == (0, f"not run, as {rule}: TEST.YAML, ci.test.json, tests (a folder)\n")
    assert desk_with_tests.janitor("test", "policies/ci.test.yaml").stderr == ""
    said = f"tests          note: not run, as {rule}: TEST.YAML, ci.test.json, tests (a folder)\n"
    assert said in desk_with_tests.janitor("check").stdout
    (desk_with_tests.folder / "policies/ci.test.yaml").unlink()
    done = desk_with_tests.janitor("test")
    assert done.returncode == 2
    assert "; TEST.YAML, ci.test.json, tests (a folder) are named otherwise\n" in done.stderr


def test_a_folder_of_tests_apart_from_the_policies_leaves_nothing_out_silently(desk_with_tests: Desk) -> None:
    desk_with_tests.write("apart/ci.test.yaml", TEST)
    desk_with_tests.write("apart/more.tests.yaml", TEST)
    done = desk_with_tests.janitor("test", "apart", "--policies", "policies")
    assert done.returncode == 0
    assert ": more.tests.yaml\n" in done.stderr
    single = desk_with_tests.write("ci.yaml", CI)
    desk_with_tests.write("ci.test.yaml", TEST)
    desk_with_tests.write("tests/of-a-program.txt", "")
    desk_with_tests.write("janitor.yaml", f"policies: {single.name}\n{CONFIGURED}")
    done = desk_with_tests.janitor("test")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist: name a *.test.yaml file, or a folder that has some"),
        (("policies/ci.yaml",), "policies/ci.yaml is not a file of tests: those are named *.test.yaml or *.test.yml"),
        (("empty",), "empty has no tests: no *.test.yaml or *.test.yml file is in it"),
        (("--policies", "nowhere"), "nowhere: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_tested_is_said(desk_with_tests: Desk, words: tuple[str, ...], said: str) -> None:
    desk_with_tests.write("empty/x.yaml", CI)
    done = desk_with_tests.janitor("test", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_all_wrong_files_are_named_at_once(desk_with_tests: Desk) -> None:
    for name in ("a", "b"):
        desk_with_tests.write(f"policies/{name}.test.yml", TEST.replace("delete", "delet"))
    done = desk_with_tests.janitor("test")
    assert done.returncode == 2
    assert [line.partition(" ")[0] for line in done.stderr.splitlines()] == [
        f"policies/{name}.test.yml:6:" for name in ("a", "b")
    ]


def test_the_configuration_gives_folder_zone_and_memory(desk_with_tests: Desk) -> None:
    (desk_with_tests.folder / "policies").rename(desk_with_tests.folder / "rules")
    desk_with_tests.write("janitor.yaml", f"policies: rules\ntimezone: Asia/Seoul\nusage_memory: 30d\n{CONFIGURED}")
    used = "now: 2026-06-01\nimages: [{name: ci-1, last_used: 29d}]\nexpect: {ci-1: {keep: recently-used}}\n"
    desk_with_tests.write("rules/used.test.yaml", used)
    at_midnight = TEST.replace("age: 20d", "created: 2026-05-17T15:00:00Z").replace(
        "{delete: ci-images}", "{keep: too-young, due: 2026-06-01}"
    )
    desk_with_tests.write("rules/ci.test.yaml", at_midnight)
    done = desk_with_tests.janitor("test")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_what_a_run_refuses_is_said_beside_the_results(desk_with_tests: Desk) -> None:
    keys = 'expire: {after: 14d}, notice: 48h, channel: "#team"'
    desk_with_tests.write("policies/ci.yaml", CI.replace("expire: {after: 14d}", keys))
    desk_with_tests.write("policies/ci.test.yaml", TEST.replace("delete:", "wait:"))
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    done = desk_with_tests.janitor("test")
    assert (done.returncode, "2 expectations hold" in done.stdout) == (0, True)
    begins = "a run refuses these policies: policies/ci.yaml:2: ci-images"
    assert [line.partition(": requires")[0] for line in done.stderr.splitlines()] == [
        f"{begins}: {key}" for key in ("notice", "channel")
    ]
    (desk_with_tests.folder / "janitor.yaml").unlink()
    assert desk_with_tests.janitor("test").stderr == BARE, "which says that nothing is configured"


def test_what_a_run_refuses_is_said_of_the_policies_that_are_tested(desk_with_tests: Desk) -> None:
    desk_with_tests.write("janitor.yaml", f"keep_history: 14d\n{CONFIGURED}")
    desk_with_tests.write("other/o.yaml", CI.replace("14d", "15d"))
    assert desk_with_tests.janitor("test").stderr == ""
    done = desk_with_tests.janitor("test", "--policies", "other")
    assert done.stderr.startswith("a run refuses these policies: ")
    assert "janitor.yaml: keep_history: 14d is too short: expire.after of policy ci-images" in done.stderr


def test_no_database_is_made(desk_with_tests: Desk) -> None:
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    desk_with_tests.janitor("test")
    assert sorted(file.name for file in desk_with_tests.folder.iterdir()) == ["janitor.yaml", "policies"]


def test_the_shipped_policies_have_tests_that_hold(desk: Desk) -> None:
    shutil.copytree(shipped_policies(), desk.folder / "policies")
    done = desk.janitor("test")
    assert (done.returncode, done.stdout) == (0, "11 expectations hold in 1 file\n")


# In `janitor check`


def test_check_runs_them(desk_with_tests: Desk) -> None:
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    done = desk_with_tests.janitor("check")
    assert done.returncode == 0
    assert "tests          ok: 2 expectations hold in 1 file\n" in done.stdout
    assert "tests          note: no test has an image of golden\n" in done.stdout


def test_check_fails_with_them(desk_with_tests: Desk) -> None:
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    desk_with_tests.write("policies/ci.test.yaml", FAILING)
    done = desk_with_tests.janitor("check")
    assert done.returncode == 2
    assert f"tests          failed: {FAILURE}\n" in done.stdout
    assert "next           failed: tests; see above" in done.stdout


def test_check_names_wrong_files(desk_with_tests: Desk) -> None:
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    desk_with_tests.write("policies/ci.test.yaml", TEST.replace("now:", "when:"))
    done = desk_with_tests.janitor("check")
    assert done.returncode == 2
    assert "tests          failed: policies/ci.test.yaml:1: now: is missing" in done.stdout
    assert "database       ok" in done.stdout


def test_check_notes_where_there_are_none(desk_with_tests: Desk) -> None:
    desk_with_tests.write("janitor.yaml", CONFIGURED)
    (desk_with_tests.folder / "policies" / "ci.test.yaml").unlink()
    done = desk_with_tests.janitor("check")
    assert done.returncode == 0
    assert "tests          note: none; tests of policies are *.test.yaml or *.test.yml files beside" in done.stdout


# In runs


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FAILING, id="that-fails"),
        pytest.param("now: [", id="broken"),
        pytest.param("", id="empty"),
        pytest.param("images: [{name: x, exempt: {until: 2026-01-01}}]", id="incomplete"),
        pytest.param("# policies: none of them\nnow: [", id="broken-with-policies-in-a-comment"),
    ],
)
def test_a_run_ignores_a_test(sandbox_desk: Desk, text: str) -> None:
    sandbox_desk.write("policies/ci.test.yaml", text)
    done = sandbox_desk.janitor("run", "--dry-run", "--no-post")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{TEST}{CI}", id="beside-a-test"),
        pytest.param(CI, id="alone"),
        pytest.param("exempt: [{image: x, until: 2999-01-01, why: so}]", id="exemptions"),
        pytest.param('{"now": "2026-06-01", "policies": []}', id="as-json"),
        pytest.param('"polic\\u0069es": []', id="escaped"),
        pytest.param("policies: [", id="broken"),
    ],
)
def test_a_run_rejects_a_test_that_holds_policies(sandbox_desk: Desk, text: str) -> None:
    sandbox_desk.write("policies/ci.test.yaml", text)
    done = sandbox_desk.janitor("run", "--dry-run", "--no-post")
    assert done.returncode == 2
    assert "policies/ci.test.yaml:" in done.stderr


def test_a_run_rejects_a_test_that_cannot_be_read(sandbox_desk: Desk) -> None:
    (sandbox_desk.folder / "policies" / "ci.test.yaml").symlink_to(Path("nowhere"))
    done = sandbox_desk.janitor("run", "--dry-run", "--no-post")
    assert done.returncode == 2
    assert "policies/ci.test.yaml: cannot be read" in done.stderr


def test_without_policies_beside_a_test_those_that_are_configured_are_tested(desk_with_tests: Desk) -> None:
    desk = desk_with_tests
    desk.write("janitor.yaml", "policies: policies\ntargets: [{name: prod, appkey: k, username: u, password: p}]\n")
    desk.write("ci.test.yaml", TEST)
    desk.write("tests/ci.test.yaml", TEST)
    for path in ("ci.test.yaml", "tests/ci.test.yaml", "tests", "policies/ci.test.yaml"):
        assert desk.janitor("test", path).returncode == 0, path
    desk.write("tests/other.yaml", CI.replace("14d", "30d"))
    assert desk.janitor("test", "tests").returncode == 1
    desk.write("tests/other.yaml", "policies: [")
    assert "tests/other.yaml" in desk.janitor("test", "tests").stderr


def test_tests_that_hide_are_named_in_test_and_check(desk_with_tests: Desk) -> None:
    desk = desk_with_tests
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: k, username: u, password: p}]\n")
    for name in (
        "policies/nested/b.test.yaml",
        "policies/deep/er/b.test.yaml",
        "policies/.b.test.yaml",
        "away/b.test.yml",
    ):
        desk.write(name, TEST)
    desk.write("policies/plain/notes.yaml", "x")
    desk.write("policies/.git/b.test.yaml", TEST)
    (desk.folder / "policies/linked").symlink_to(desk.folder / "away")
    (desk.folder / "policies/.#b.test.yaml").symlink_to("kim@host.1")
    named = ".b.test.yaml, deep (a folder), linked (a folder), nested (a folder)"
    for command in ("test", "check"):
        done = desk.janitor(command)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "not run, as" in line]
        assert [line.endswith(f": {named}") for line in said] == [True], said


def test_a_file_that_expects_nothing_is_named_and_fails_nothing(desk_with_tests: Desk) -> None:
    desk = desk_with_tests
    desk.write("janitor.yaml", "targets: [{name: prod, appkey: k, username: u, password: p}]\n")
    desk.write("policies/none.test.yaml", "now: 2026-06-01\nimages: [{name: a}]\nexpect: {a: any}\n")
    done = desk.janitor("test")
    assert (done.returncode, done.stdout.count("expects nothing")) == (0, 1)
    assert "policies/none.test.yaml: expects nothing: `any` always holds\n" in done.stdout
    assert "note: policies/none.test.yaml: expects nothing" in desk.janitor("check").stdout
