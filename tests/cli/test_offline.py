"""Commands that only read what is recorded, where the secrets of the configuration are not there, as in a pipeline."""

import json
from collections.abc import Sequence

import pytest

from tests.conftest import Desk
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn

POLICIES = """\
policies:
  - name: old
    match: {name: "*"}
    expire: {after: 14d}
    notice: 2d
"""
TESTS = """\
now: 2026-06-01
images: [{name: ci-1, age: 20d}]
expect: {ci-1: {wait: old}}
"""
SECRETS = """\
references: [{url: "https://vault.example/${VAULT_PATH}", token: "${VAULT_TOKEN}", needed: optional}]
heartbeat_url: ${HEARTBEAT_URL}
cost: {per_gib_month: 0.05, currency: USD}
"""
READING = {
    "runs": ["runs", "--format", "json"],
    "show": ["show", "latest", "--format", "json"],
    "images": ["images", "--format", "json"],
    "waiting": ["waiting", "--format", "json"],
    "policies": ["policies", "--format", "json"],
    "keep-list": ["keep", "--list", "--format", "json"],
    "preview": ["preview", "--format", "json"],
    "backtest": ["backtest", "--format", "json"],
    "suggest": ["backtest", "--suggest", "--format", "json"],
    "diff": ["diff", "1", "2", "--format", "json"],
    "test": ["test", "--format", "json"],
}
NEEDING_SECRETS = {
    "run": ["run", "--dry-run"],
    "check": ["check"],
    "serve": ["serve"],
    "resend": ["resend"],
}


@pytest.fixture
def pipeline(sandbox_desk: Desk, slack: SlackStandIn) -> Desk:
    """A desk whose database has a run, and whose configuration then names variables that are not set."""
    sandbox_desk.amend(f"slack:\n  token: {TOKEN}\n  channel: '{CHANNEL}'\n  base_url: {slack.base_url}\n")
    sandbox_desk.write("policies/old.yaml", POLICIES)
    sandbox_desk.write("policies/old.test.yaml", TESTS)
    for _ in range(2):
        ran = sandbox_desk.janitor("run")
        assert ran.returncode == 0, ran.stderr
    config = sandbox_desk.folder / "janitor.yaml"
    text = config.read_text()
    for line in text.splitlines():
        key = line.strip().partition(":")[0]
        if key in ("appkey", "username", "password", "tenant_id", "identity", "endpoint"):
            text = text.replace(line, f"{line.partition(':')[0]}: ${{SECRET_{key.upper()}}}")
    text = text.replace(TOKEN, "${SLACK_BOT_TOKEN}").replace(slack.base_url, "${SLACK_BASE_URL}")
    assert "${SECRET_PASSWORD}" in text
    config.write_text(text + SECRETS)
    return sandbox_desk


@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_reading_needs_no_secret(pipeline: Desk, words: Sequence[str]) -> None:
    done = pipeline.janitor(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) is not None
    assert ".invalid" not in done.stdout


def test_copying_the_database_needs_no_secret(pipeline: Desk) -> None:
    done = pipeline.janitor("db", "copy", "copy.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 runs; the latest, run 2, ended " in done.stdout


def test_explaining_needs_no_secret(pipeline: Desk) -> None:
    images = json.loads(pipeline.janitor("images", "--format", "json").stdout)
    image = images["targets"][0]["images"][0]["id"]
    done = pipeline.janitor("explain", image)
    assert (done.returncode, done.stderr) == (0, "")
    assert image in done.stdout
    assert ".invalid" not in done.stdout


@pytest.mark.parametrize("words", NEEDING_SECRETS.values(), ids=NEEDING_SECRETS)
def test_what_signs_in_or_posts_names_what_is_not_set(pipeline: Desk, words: Sequence[str]) -> None:
    done = pipeline.janitor(*words)
    assert done.returncode == 2
    for name in ("SECRET_PASSWORD", "SLACK_BOT_TOKEN", "VAULT_TOKEN", "HEARTBEAT_URL"):
        assert f"environment variable {name} is not set" in done.stderr


def test_a_typo_is_told_where_secrets_are_missing(pipeline: Desk) -> None:
    pipeline.amend("timezon: Asia/Seoul\n")
    done = pipeline.janitor("runs")
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if "janitor.yaml:" in line] == [
        line for line in done.stderr.splitlines() if 'timezon: unknown key, did you mean "timezone"?' in line
    ]
    assert "is not set" not in done.stderr
