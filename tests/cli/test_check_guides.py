"""`janitor check` says what to do next, for every kind of failure, in lines that break no word of a terminal."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.cli.probing import advice
from janitor.cloud.service import ProbeFailed
from janitor.config import load_settings
from janitor.errors import (
    CloudError,
    ConfigurationError,
    DeliveryError,
    Denied,
    JanitorError,
    NotSent,
    Problem,
    Refused,
    StoreError,
    Unavailable,
)
from janitor.notify.slack.words import HINTS, advice_on
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from tests.cli.test_terminal import Screen, plain
from tests.conftest import POLICY, WITHOUT_WAITING, Desk
from tests.slack_stand_in import CHANNEL, TOKEN, Reply, SlackStandIn

TOAST = "{name: old, appkey: a, username: u, password: p}"
SPELLED_OUT = "{name: prod, api: openstack, identity: 'https://x/v2.0', tenant_id: t, username: u, password: p}"
NAMED = "{name: lab, api: openstack, cloud: lab}"
KEYS = "`username` and `password` (the API password, not that of the console) of target"


def next_steps(stdout: str) -> list[str]:
    return re.findall(r"^(?:\S.{13}\S* )next: (.*)$", stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(Denied("no", code=401), "check CREDENTIALS", id="denied"),
        pytest.param(Refused("no", code=403), "may do this, or check CREDENTIALS", id="forbidden"),
        pytest.param(Refused("no", code=404), "check the address, and CREDENTIALS", id="absent"),
        pytest.param(CloudError("another project"), "check CREDENTIALS", id="another-project"),
        pytest.param(Unavailable("no answer"), "check the address, the network and the proxy", id="no-answer"),
        pytest.param(NotSent("wait"), "wait for as long as it asks", id="wait"),
        pytest.param(ProbeFailed("clusters", ()), "in `usage` of the target", id="usage"),
    ],
)
@pytest.mark.parametrize(
    ("target", "credentials"),
    [
        pytest.param(TOAST, f"`appkey`, {KEYS} old", id="toast"),
        pytest.param(SPELLED_OUT, f"`tenant_id`, {KEYS} prod", id="spelled-out"),
        pytest.param(NAMED, "user, password and project of lab in clouds.yaml of target lab", id="clouds-yaml"),
    ],
)
def test_each_failure_of_a_target_has_its_step(
    tmp_path: Path, error: JanitorError, said: str, target: str, credentials: str
) -> None:
    (tmp_path / "janitor.yaml").write_text(f"targets: [{target}]\n")
    [configured] = load_settings(tmp_path / "janitor.yaml", {}).targets
    assert said.replace("CREDENTIALS", credentials) in advice.on(error, configured)


def test_what_says_itself_what_to_do_is_not_explained() -> None:
    assert advice.on(StoreError("the disk is full: free some"), None) == ""
    assert advice.on(DeliveryError("a file"), None) == ""


@pytest.mark.parametrize("word", sorted(HINTS.keys() - {"ratelimited", "rate_limited"}))
def test_each_code_of_slack_that_is_explained_has_its_step(word: str) -> None:
    assert advice_on(word, "#a") not in ("", advice_on("unheard_of", "#a"), advice_on("", "#a"))


@pytest.fixture
def bot_desk(sandbox_desk: Desk) -> Iterator[tuple[Desk, SlackStandIn]]:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
        yield sandbox_desk, slack


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("missing_scope", "add the scope on the page OAuth & Permissions of the app, then reinstall the app there"),
        ("channel_not_found", f"/invite the bot in {CHANNEL}; "),
        ("invalid_auth", "copy the token (xoxb-…) from the page OAuth & Permissions of the app"),
        ("unheard_of", "look up the word at docs.slack.dev"),
    ],
)
def test_a_message_that_slack_does_not_take_says_what_to_do(
    bot_desk: tuple[Desk, SlackStandIn], word: str, said: str
) -> None:
    desk, slack = bot_desk
    slack.script += [Reply(200, f'{{"ok": false, "error": "{word}"}}', {"Content-Type": "application/json"})]
    done = desk.janitor("check", "--live")
    [step] = next_steps(done.stdout)
    assert (done.returncode, said in step) == (1, True), done.stdout
    assert "\nnext           failed: slack; see above, then `janitor check --live` again\n" in done.stdout
    assert TOKEN not in done.stdout


@pytest.mark.parametrize("api", Api)
def test_a_sign_in_that_is_refused_names_what_to_check(desk: Desk, api: Api) -> None:
    with running(Options(api=api, images=5)) as started:
        desk.write("janitor.yaml", started.configuration().replace(started.options.password, "not-the-password"))
        desk.write("policies/old.yaml", POLICY)
        done = desk.janitor("check", "--live", before=WITHOUT_WAITING)
    [step] = next_steps(done.stdout)
    assert (done.returncode, step.endswith(f"{KEYS} sandbox")) == (1, True), done.stdout
    assert "not-the-password" not in done.stdout + done.stderr


def test_an_address_where_nobody_answers(sandbox_desk: Desk) -> None:
    text = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", text))
    done = sandbox_desk.janitor("check", "--live", before=WITHOUT_WAITING)
    assert next_steps(done.stdout) == [
        "check the address, the network and the proxy (`http: {proxy: …}`) on this machine; -v logs each try"
    ]


def test_variables_that_are_not_set_are_named_once_in_one_line(desk: Desk) -> None:
    desk.write("policies/old.yaml", POLICY)
    keys = "username: '${NHN_USERNAME}', password: '${NHN_PASSWORD}', tenant_id: '${NHN_TENANT_ID}'"
    target = f"{{name: prod, api: openstack, identity: 'https://x/v2.0', {keys}, region: '${{NHN_USERNAME}}'}}"
    desk.write("janitor.yaml", f"targets: [{target}]\n")
    desk.environment = {"NHN_TENANT_ID": ""}
    done = desk.janitor("check", "--live")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert last.startswith("next: set 2 variables (NHN_USERNAME, NHN_PASSWORD) in the environment of the janitor")
    desk.environment |= {"NHN_USERNAME": "a", "NHN_PASSWORD": "b"}
    assert "next: set 1 variable (NHN_TENANT_ID) in" in desk.janitor("check").stderr.splitlines()[-1]
    assert done.stderr.count("next: ") == 1
    assert "next: " not in desk.janitor("run", "--dry-run").stderr


def test_a_configuration_that_is_wrong_otherwise_gets_no_such_line() -> None:
    error = ConfigurationError([Problem("janitor.yaml", 3, "is no number")])
    assert advice.with_unset_variables(error) is error


def test_a_beginner_is_led_on_and_nobody_else(sandbox_desk: Desk) -> None:
    first, live = sandbox_desk.janitor("check"), sandbox_desk.janitor("check", "--live")
    assert first.stdout.splitlines()[-1].startswith("next           `janitor check --live` also signs in")
    assert live.stdout.splitlines()[-1].startswith("next           `janitor run --dry-run` shows")
    sandbox_desk.janitor("run", "--dry-run")
    for words in (("check",), ("check", "--live")):
        assert "\nnext  " not in sandbox_desk.janitor(*words).stdout


@pytest.mark.parametrize("columns", [80, 50])
def test_a_terminal_breaks_no_word(sandbox_desk: Desk, columns: int) -> None:
    sandbox_desk.amend('schedule: "0 3 * * *"\n')
    sandbox_desk.environment = {"COLUMNS": "", "TERM": "xterm"}
    whole = sandbox_desk.janitor("check").stdout
    code, shown = Screen(columns).show(sandbox_desk, "check")
    lines = plain(shown).splitlines()
    assert code == 0
    assert len(lines) > len(whole.splitlines())
    longest = max(len(word) for word in whole.split())
    assert max(map(len, lines)) <= max(columns, 15 + longest)
    same = re.compile(r"next run.*")
    assert same.sub("", " ".join(plain(shown).split())) == same.sub("", " ".join(whole.split()))


def test_what_is_no_terminal_gets_every_line_whole(sandbox_desk: Desk) -> None:
    done = sandbox_desk.janitor("check")
    assert all(line[:14].strip() and line[14] == " " for line in done.stdout.splitlines())
    assert max(map(len, done.stdout.splitlines())) > 80


@pytest.mark.parametrize(("columns", "width"), [(80, 80), (50, 50), (0, 80)])
def test_an_error_on_a_terminal_breaks_no_word(desk: Desk, columns: int, width: int) -> None:
    whole = desk.janitor("check").stderr
    code, shown = Screen(columns).show(desk, "check", stdout=False)
    assert code == 2
    assert shown.split() == whole.split()
    longest = max(len(word) for word in whole.split())
    assert max(map(len, shown.splitlines())) <= max(width, 6 + longest)
    assert max(map(len, whole.splitlines())) > 80
    assert "\ntargets:\n  - name: prod\n    api: openstack\n" in shown, "what is to be copied stays as it is"


def test_approvers_who_have_no_buttons_are_noted(desk: Desk) -> None:
    slack = 'slack: {token: xoxb-1, channel: "#a", approvers: [U012AB3CD]'
    for more, noted in (("}", True), (", app_token: xapp-1}", False)):
        desk.write("janitor.yaml", f"targets:\n  - {SPELLED_OUT}\n{slack}{more}\n")
        desk.write("policies/a.yaml", POLICY)
        checked = desk.janitor("check").stdout
        assert ("slack          note: approvers: without an `app_token` there are no buttons" in checked) is noted
