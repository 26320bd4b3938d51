"""The examples of pipelines are valid and careful, and their scripts do what they say, run as they are."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Desk
from tests.documentation import ROOT

GITHUB = ROOT / "deploy/github-actions/policies.yaml"
GITLAB = ROOT / "deploy/gitlab-ci/policies.yaml"
MARKER = "<!-- preview of policies -->"

POLICIES = """\
policies:
  - name: old
    match: {name: "*"}
    expire: {after: 14d}
"""
TESTS = """\
now: 2026-06-01
images: [{name: ci-1, age: 20d}, {name: ci-2, age: 1d}]
expect: {ci-1: {delete: old}, ci-2: {keep: too-young}}
"""

PROGRAM = """\
#!{python}
import json, os, shutil, sys
words = sys.argv[1:]
def after(option):
    return words[words.index(option) + 1] if option in words else None
body = after("--data-urlencode") or after("--field") or ""
called = {{"program": os.path.basename(sys.argv[0]), "words": words}}
if "@" in body:
    called["body"] = open(body.partition("@")[2], encoding="utf-8").read()
with open(os.environ["CALLS"], "a", encoding="utf-8") as calls:
    calls.write(json.dumps(called) + "\\n")
if (after("--output") or "").endswith(".db"):
    there = os.path.exists(os.environ["COPY_OF_TEST"])
    if there:
        shutil.copy(os.environ["COPY_OF_TEST"], after("--output"))
    if "--write-out" in words:
        print(200 if there else 404)
elif not body:
    print(os.environ.get("FOUND", ""))
"""


@dataclass
class Done:
    """What a pipeline came to."""

    code: int = 0
    output: str = ""
    summary: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def posted(self) -> list[tuple[str, str]]:
        """The method and the body of each comment or note that was sent."""
        return [
            (next(word for word in call["words"] if word in ("POST", "PUT", "PATCH")), call["body"])
            for call in self.calls
            if "body" in call
        ]


@dataclass
class Runner:
    """A folder with what the pipeline checked out, and programs in the place of those that would use the network."""

    folder: Path
    copy: Path
    environment: dict[str, str]

    def run(self, script: str, environment: Mapping[str, str]) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env={**self.environment, **environment},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder.parent / "calls").read_text().splitlines()]


@pytest.fixture
def runner(sandbox_desk: Desk) -> Runner:
    """After a night, whose database was copied; the configuration needs secrets that are not there."""
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
    checked_out, programs = sandbox_desk.folder / "repository", sandbox_desk.folder / "bin"
    for folder in (checked_out / "policies", programs):
        folder.mkdir(parents=True)
    assert sandbox_desk.janitor("db", "copy", "for-pipelines.db").returncode == 0
    text = (sandbox_desk.folder / "janitor.yaml").read_text()
    text = re.sub(r"^database: .*$", "database: ${JANITOR_DATABASE:-/var/lib/janitor/janitor.db}", text, flags=re.M)
    text = re.sub(r"^policies: .*$", "policies: policies", text, flags=re.M)
    text = re.sub(r"(appkey|password): .*$", r"\1: ${SECRET_\1}", text, flags=re.M)
    (checked_out / "janitor.yaml").write_text(text)
    (checked_out / "policies/old.yaml").write_text(POLICIES)
    (checked_out / "policies/old.test.yaml").write_text(TESTS)
    for name in ("pip", "curl", "gh"):
        (programs / name).write_text(PROGRAM.format(python=sys.executable))
    (programs / "janitor").write_text(f'#!/bin/sh\nexec {sys.executable} -m janitor "$@"\n')
    (programs / "python").symlink_to(sys.executable)
    for program in programs.iterdir():
        program.chmod(0o755)
    return Runner(
        checked_out,
        sandbox_desk.folder / "for-pipelines.db",
        {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(sandbox_desk.folder),
            "PYTHONPATH": str(ROOT),
            "CALLS": str(sandbox_desk.folder / "calls"),
            "COPY_OF_TEST": str(sandbox_desk.folder / "for-pipelines.db"),
            "JANITOR": "image-janitor",
            "JANITOR_DATABASE": str(sandbox_desk.folder / "fetched.db"),
        },
    )


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# GitHub


def github(runner: Runner, *, secret: str = "https://copies.example/janitor.db", found: str = "") -> Done:
    """Run all steps of both jobs as GitHub does."""
    jobs, done = loaded(GITHUB)["jobs"], Done()
    output, summary = runner.folder.parent / "output", runner.folder.parent / "summary"
    environment = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "FOUND": found}
    for file in (output, summary):
        file.touch()
    for name, job in jobs.items():
        for step in job["steps"]:
            goes_on = done.code == 0 or name == "comment" or "!cancelled()" in str(step.get("if"))
            if "run" not in step or not (holds(step, name, output) and goes_on):
                continue
            given = {key: filled(value, secret) for key, value in step.get("env", {}).items()}
            code, said = runner.run(step["run"], {**environment, **given})
            done.code, done.output = done.code or code, done.output + said
    done.summary, done.calls = summary.read_text(), runner.calls()
    return done


def holds(step: Mapping[str, Any], job: str, output: Path) -> bool:
    return "there=true" in output.read_text() or not (job == "comment" or "steps.copy" in str(step.get("if")))


def filled(value: str, secret: str) -> str:
    return re.sub(r"\$\{\{.*?\}\}", secret if "secrets." in value else "7", value)


def test_github_tests_and_previews_a_change(runner: Runner) -> None:
    policies = runner.folder / "policies/old.yaml"
    policies.write_text(POLICIES.replace("14d", "13d"))
    done = github(runner)
    assert done.summary.startswith("### Preview of policies")
    assert "\n### Backtest of policies\n" in done.summary
    assert done.posted == [("POST", f"{MARKER}\n{done.summary}")]
    assert "<testsuite" in (runner.folder / "junit.xml").read_text()
    assert done.code == 4, "the greedy policy deletes more than 20"
    fetched = next(call for call in done.calls if call["program"] == "curl")
    assert fetched["words"][-1] == "https://copies.example/janitor.db"


def test_github_leaves_a_backtest_out_of_a_comment_that_has_no_room_for_it(runner: Runner) -> None:
    workflow = loaded(GITHUB)
    [comment] = [step["run"] for step in workflow["jobs"]["comment"]["steps"] if "run" in step]
    given = {"REPOSITORY": "a/b", "NUMBER": "7", "MARKER": MARKER}
    for preview, backtest, both in ((30_000, 30_000, True), (64_900, 200, False), (64_900, 0, True)):
        (runner.folder / "preview.md").write_text("이" * preview)
        (runner.folder / "backtest.md").write_text("@" * backtest)
        code, said = runner.run(comment, {**given, "LC_ALL": "C.UTF-8"})
        assert (code, said) == (0, "")
        body = runner.calls()[-1]["body"]
        assert len(body) < 65_536
        assert ("@" * backtest in body) == both
        assert ("The backtest is in the summary of the job" in body) != both


def test_github_without_a_preview_leaves_no_earlier_one(runner: Runner) -> None:
    [comment] = [step["run"] for step in loaded(GITHUB)["jobs"]["comment"]["steps"] if "run" in step]
    given = {"REPOSITORY": "a/b", "NUMBER": "7", "MARKER": MARKER}
    for found, bodies in (("", 0), ("41", 1)):
        for file in ("preview.md", "backtest.md"):
            (runner.folder / file).unlink(missing_ok=True)
        assert runner.run(comment, {**given, "FOUND": found})[0] == 0
        posted = [call["body"] for call in runner.calls() if "body" in call]
        assert [body.startswith(f"{MARKER}\nNo preview for this commit: ") for body in posted] == [True] * bodies


def test_github_without_a_copy_fails_but_for_a_fork(runner: Runner) -> None:
    steps = loaded(GITHUB)["jobs"]["rehearse"]["steps"]
    [fetch] = [step["run"] for step in steps if step.get("id") == "copy"]
    summary = {"GITHUB_STEP_SUMMARY": str(runner.folder.parent / "summary"), "GITHUB_REPOSITORY": "a/b", "ADDRESS": ""}
    assert runner.run(fetch, {**summary, "FROM": "kim/b"})[0] == 0
    assert runner.run(fetch, {**summary, "FROM": "a/b"})[0] == 1


def test_github_changes_its_own_comment(runner: Runner) -> None:
    done = github(runner, found="41\n42")
    [(method, _)] = done.posted
    assert method == "PATCH"
    assert "repos/7/issues/comments/41" in done.calls[-1]["words"]


def test_github_previews_nothing_for_a_fork(runner: Runner) -> None:
    done = github(runner, secret="")
    assert done.code == 0
    assert done.summary.startswith("No preview: there is no copy of the database")
    assert [call["program"] for call in done.calls] == ["pip"]


def test_github_stops_where_a_test_of_policies_fails(runner: Runner) -> None:
    (runner.folder / "policies/old.test.yaml").write_text(TESTS.replace("age: 20d", "age: 2d"))
    done = github(runner)
    assert done.code == 1
    assert "ci-1" in done.output
    assert "<failure" in (runner.folder / "junit.xml").read_text()
    assert done.posted == []


def test_github_pins_what_it_uses_and_lets_one_job_write() -> None:
    text, workflow = GITHUB.read_text(), loaded(GITHUB)
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)
    assert list(workflow[True]) == ["pull_request"], "pull_request_target would hand secrets to forks"
    assert workflow["permissions"] == {}
    assert {name: job["permissions"] for name, job in workflow["jobs"].items()} == {
        "rehearse": {"contents": "read"},
        "comment": {"pull-requests": "write"},
    }
    assert "head.repo.full_name == github.repository" in workflow["jobs"]["comment"]["if"]
    assert not any("checkout" in step.get("uses", "") for step in workflow["jobs"]["comment"]["steps"])


def test_github_puts_nothing_of_a_pull_request_into_a_script() -> None:
    for job in loaded(GITHUB)["jobs"].values():
        assert not [step["run"] for step in job["steps"] if "${{" in step.get("run", "")]


# GitLab


def gitlab(runner: Runner, job: str, *, token: str = "secret-token", found: object = (), project: str = "5") -> Done:
    """Run one job as GitLab does: all lines in one shell."""
    pipeline, done = loaded(GITLAB), Done()
    template = pipeline[".policies"]
    environment = {
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PROJECT_ID": project,
        "CI_MERGE_REQUEST_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_JOB_TOKEN": "job-token",
        "JANITOR_NOTES_TOKEN": token,
        "FOUND": json.dumps(found),
    }
    given = {
        name: re.sub(r"\$(\w+)", lambda match: environment[match[1]], value)
        for name, value in pipeline[job].get("variables", {}).items()
    }
    script = "\n".join([*template["before_script"], *pipeline[job]["script"]])
    done.code, done.output = runner.run(script, {**environment, **given})
    done.calls = runner.calls()
    return done


def test_gitlab_tests_a_change(runner: Runner) -> None:
    assert gitlab(runner, "policies-test").code == 0
    assert "<testsuite" in (runner.folder / "junit.xml").read_text()
    (runner.folder / "policies/old.test.yaml").write_text(TESTS.replace("age: 20d", "age: 2d"))
    done = gitlab(runner, "policies-test")
    assert done.code == 1
    assert "ci-1" in done.output
    assert "<failure" in (runner.folder / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("found", "method", "ending"),
    [
        pytest.param([], "POST", "/merge_requests/7/notes", id="first"),
        pytest.param([{"id": 3, "body": "hello"}], "POST", "/merge_requests/7/notes", id="beside-others"),
        pytest.param([{"id": 3, "body": f"{MARKER}\nold"}], "PUT", "/merge_requests/7/notes/3", id="again"),
    ],
)
def test_gitlab_shows_the_preview_in_a_note(runner: Runner, found: object, method: str, ending: str) -> None:
    done = gitlab(runner, "policies-preview", found=found)
    preview, backtest = ((runner.folder / f"{name}.md").read_text() for name in ("preview", "backtest"))
    assert preview.startswith("### Preview of policies")
    assert backtest.startswith("### Backtest of policies")
    assert f"{preview}{backtest}" in done.output
    assert done.posted == [(method, f"{MARKER}\n{preview}\n{backtest}")]
    assert done.calls[-1]["words"][-1].endswith(ending)
    assert done.code == 4, "the greedy policy deletes more than 20"


def test_gitlab_without_a_token_only_prints_the_preview(runner: Runner) -> None:
    done = gitlab(runner, "policies-preview", token="")
    assert "### Preview of policies" in done.output
    assert done.posted == []


def test_gitlab_previews_nothing_in_a_fork(runner: Runner) -> None:
    runner.copy.unlink()
    done = gitlab(runner, "policies-preview", project="6")
    assert (done.code, done.posted) == (0, [])
    assert "No preview: this fork has no copy of the database" in done.output


@pytest.mark.parametrize("found", [[], [{"id": 3, "body": f"{MARKER}\nold"}]])
def test_gitlab_without_a_preview_leaves_no_earlier_one(runner: Runner, found: list[object]) -> None:
    (runner.folder / "policies/old.yaml").write_text("policies: [")
    wrong = gitlab(runner, "policies-preview", found=found)
    assert wrong.code == 2
    runner.copy.unlink()
    absent = gitlab(runner, "policies-preview", found=found)
    assert (absent.code, "HTTP 404" in absent.output) == (1, True)
    said = [body.startswith(f"{MARKER}\nNo preview for this commit: ") for _, body in absent.posted]
    assert said == [True, True] * len(found)
    assert not any("--location" in call["words"] for call in absent.calls)


def test_gitlab_pins_its_image() -> None:
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-[a-z]+", loaded(GITLAB)[".policies"]["image"])


# Both


def test_each_names_the_document_that_says_how_a_copy_gets_there() -> None:
    operations = (ROOT / "docs/operations.md").read_text()
    for path in (GITHUB, GITLAB):
        [heading] = re.findall(r'see "(.*)" in docs/operations\.md', path.read_text())
        assert f"## {heading}\n" in operations
        assert f"](../{path.relative_to(ROOT)})" in operations
