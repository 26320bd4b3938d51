"""What comes from the environment and from files of secrets, and that nothing shows a secret."""

import os
import traceback
from pathlib import Path

import pytest

from janitor.config import load_settings
from janitor.core.result import Cost, Mode
from janitor.errors import ConfigurationError
from tests.config.configuration import ACCOUNT, EVERYTHING, TARGET, Write, problems_of, toast

pytestmark = pytest.mark.usefixtures("empty_folder")


# The environment


@pytest.mark.parametrize(
    ("text", "password"),
    [
        pytest.param("${SECRET}", "s3cret", id="a-variable"),
        pytest.param("<${SECRET}-${SECRET}>", "<s3cret-s3cret>", id="within-text"),
        pytest.param("${SECRET:-x}", "s3cret", id="a-default-not-needed"),
        pytest.param("${UNSET:-x:-y }", "x:-y ", id="a-default"),
        pytest.param("${EMPTY:-x}", "x", id="a-default-for-empty"),
        pytest.param("$${SECRET}", "${SECRET}", id="a-literal"),
        pytest.param("$SECRET $$ $", "$SECRET $$ $", id="dollars-alone"),
        pytest.param("${NESTED}", "${SECRET}", id="not-expanded-twice"),
        pytest.param("${UNSET:-${SECRET}}", "s3cret", id="a-variable-for-a-default"),
        pytest.param("${SECRET:-${UNSET}}", "s3cret", id="a-default-not-needed-is-not-looked-at"),
        pytest.param("${UNSET:-${NESTED}}", "${SECRET}", id="a-default-is-not-expanded-twice"),
        pytest.param("${YAML}", "- a: [", id="not-read-as-yaml"),
        pytest.param("${NUMBER}", "007", id="text-stays-text"),
    ],
)
def test_variables_are_put_into_text(write: Write, text: str, password: str) -> None:
    environ = {"SECRET": "s3cret", "EMPTY": "", "NESTED": "${SECRET}", "YAML": "- a: [", "NUMBER": "007"}
    path = write(TARGET.replace("the-password", f"'{text}'"))

    assert toast(load_settings(path, environ)).password == password


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("${NOPE}", "environment variable NOPE is not set", id="unset"),
        pytest.param("${ODD}", "environment variable ODD is not UTF-8 text", id="not-utf-8"),
        pytest.param("${ODD:-x}", "environment variable ODD is not UTF-8 text", id="not-utf-8-with-a-default"),
        pytest.param("${NOPE:-}", "environment variable NOPE is not set", id="unset-with-an-empty-default"),
        pytest.param("${EMPTY}", "environment variable EMPTY is empty", id="empty"),
        pytest.param("${EMPTY:-${NOPE}}", "environment variable NOPE is not set", id="an-unset-default"),
        pytest.param("${EMPTY:-${NOPE:-}}", "environment variable EMPTY is empty; environment variable", id="neither"),
        pytest.param("''", "is empty", id="empty-text"),
        pytest.param("", "is empty", id="left-empty"),
        pytest.param("${NOPE", "holds a ${ that is neither ${NAME} nor ${NAME:-default}", id="unclosed"),
        pytest.param("${9}", "holds a ${ that is neither ${NAME} nor ${NAME:-default}", id="no-name"),
        pytest.param("${NOPE:?no}", "holds a ${ that is neither ${NAME} nor ${NAME:-default}", id="not-a-shell"),
    ],
)
def test_a_required_key_needs_its_variable(write: Write, text: str, problem: str) -> None:
    (told,) = problems_of(write(TARGET.replace("the-appkey", text)), {"EMPTY": "", "ODD": "a\udcff"})

    assert told.startswith(f"janitor.yaml:4: targets[0].appkey: {problem}")


def test_an_optional_key_may_come_out_empty_but_its_variable_must_be_set(write: Write) -> None:
    path = write(TARGET + "mode: ${MODE}\n")

    assert load_settings(path, {"MODE": ""}).mode is Mode.DRY_RUN
    assert problems_of(path) == ["janitor.yaml:7: mode: environment variable MODE is not set"]


def test_numbers_may_come_from_the_environment(write: Write) -> None:
    path = write(
        TARGET
        + """\
limits:
  max_deletions: ${MAX:-100}
concurrency:
  targets: ${TARGETS:-2}
http:
  attempts: ${ATTEMPTS}
cost:
  per_gib_month: ${PRICE}
  currency: USD
"""
    )
    settings = load_settings(path, {"MAX": "7", "ATTEMPTS": "3", "PRICE": "0.05"})

    assert settings.limits.max_deletions == 7
    assert settings.concurrency.targets == 2
    assert settings.targets[0].http.attempts == 3
    assert settings.cost == Cost(0.05, "USD")


# Secret files


@pytest.mark.parametrize(
    ("content", "password"),
    [
        pytest.param("s3cret", "s3cret", id="as-it-is"),
        pytest.param("s3cret\n", "s3cret", id="without-its-line-break"),
        pytest.param("s3cret\r\n", "s3cret", id="without-windows-line-break"),
        pytest.param("s3cret\r\n\n", "s3cret", id="without-any-line-break-at-its-end"),
        pytest.param("\ufeffs3cret\r\n", "s3cret", id="without-a-byte-order-mark"),
        pytest.param(" s3cret \n", " s3cret ", id="spaces-are-part-of-it"),
        pytest.param("${HOME}", "${HOME}", id="not-expanded"),
    ],
)
def test_a_secret_may_come_from_a_file_beside_the_configuration(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, password: str
) -> None:
    path = write(TARGET.replace("password: the-password", "password_file: secret")).absolute()
    Path("secret").write_bytes(content.encode())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    settings = load_settings(path, {})

    assert toast(settings).password == password
    assert password in settings.secrets


def test_every_secret_may_come_from_a_file(write: Write) -> None:
    names = ("appkey", "username", "password")
    target = "".join(f"    {name}_file: ${{FOLDER}}/{name}\n" for name in names)
    for name in (*names, "token"):
        Path(name).write_text(f"{name}-in-a-file\n")
    Path("app").write_text("xapp-in-a-file\n")
    head = "targets:\n  - name: prod\n    endpoint: http://x\n"
    slack = "slack: {token_file: token, channel: c, app_token_file: app}\n"
    settings = load_settings(write(f"{head}{target}{slack}"), {"FOLDER": "."})

    secrets = {f"{name}-in-a-file" for name in ("appkey", "password", "token", "xapp")}
    assert settings.secrets == secrets, "a user is none"

    Path("hook").write_text("https://hooks.example/x\n")
    Path("beat").write_text("https://hc.example/y\n")
    content = f"{TARGET}slack: {{webhook_url_file: hook}}\nheartbeat_url_file: beat\n"
    settings = load_settings(write(content), {})

    assert settings.slack is not None
    assert settings.slack.webhook_url == "https://hooks.example/x"
    assert settings.heartbeat_url == "https://hc.example/y"
    assert settings.heartbeat_url in settings.secrets


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        pytest.param("nowhere", "nowhere cannot be read: No such file or directory", id="missing"),
        pytest.param(".", "cannot be read: Is a directory", id="directory"),
        pytest.param("empty", "empty is empty", id="empty"),
        pytest.param("blank", "blank is empty", id="only-a-line-break"),
        pytest.param("binary", "binary is not UTF-8 text", id="binary"),
        pytest.param("powershell", "powershell is not UTF-8 text but UTF-16: save it as UTF-8", id="utf-16"),
        pytest.param("mark", "mark is empty", id="only-a-byte-order-mark"),
        pytest.param("pipe", "pipe cannot be read: it is not a regular file", id="a-fifo-that-nobody-writes-to"),
        pytest.param("large", "large is larger than 64 KiB", id="too-large"),
        pytest.param("two", "two holds a line break or another control character", id="two-lines"),
        pytest.param("${NOPE}", "environment variable NOPE is not set", id="unset"),
    ],
)
def test_a_secret_file_that_gives_no_secret_is_one_problem(write: Write, file: str, problem: str) -> None:
    Path("empty").write_text("")
    Path("blank").write_text("\n")
    Path("binary").write_bytes(b"\xff\xfe")
    Path("powershell").write_text("s3cret", encoding="utf-16")
    Path("mark").write_text("\ufeff")
    os.mkfifo("pipe")
    Path("large").write_bytes(bytes(2**16 + 1))
    Path("two").write_text("one\ntwo\n")
    keys = "password: ${UNSET:-}\n    password_file: "
    (told,) = problems_of(write(TARGET.replace("password: the-password", f"{keys}{file}")))

    assert told.startswith("janitor.yaml:7: targets[0].password_file: ")
    assert problem in told
    assert "UNSET" not in told


def test_a_secret_file_takes_the_place_of_a_variable_that_is_not_set(write: Write) -> None:
    Path("token").write_text("t0ken\n")
    content = f"{TARGET}references: [{{url: 'https://x', token: '${{UNSET:-}}', token_file: token}}]\n"
    [reference] = load_settings(write(content), {}).references
    assert reference.token == "t0ken"


def test_a_webhook_in_a_file_that_is_no_url_is_told_with_the_file_and_its_key(write: Write) -> None:
    Path("hook").write_text("hooks.example/x\n")
    assert problems_of(write(f"{TARGET}slack: {{webhook_url_file: hook}}\n")) == [
        "janitor.yaml:7: slack.webhook_url_file: hook is not a URL like https://host/path or http://host/path"
    ]


def test_a_secret_and_its_file_contradict_each_other(write: Write) -> None:
    Path("secret").write_text("x")

    assert problems_of(write(TARGET + "    password_file: secret\n")) == [
        "janitor.yaml:7: targets[0].password_file: give either password or password_file, not both"
    ]


# Secrets


def test_the_password_in_any_url_is_a_secret(write: Write) -> None:
    content = f"{TARGET}references: [{{url: 'https://me:the-pw@x.example/main.tf'}}]\n"
    assert "the-pw" in load_settings(write(content), {}).secrets
    told = problems_of(write(f"{TARGET}http: {{prosy: 'http://me:the-pw@x'}}\nslack: {{post: http://me:the-pw@x}}\n"))
    assert "the-pw" not in "".join(told)


def test_no_settings_show_a_secret_when_printed(write: Write) -> None:
    settings = load_settings(write(EVERYTHING), {})

    assert not [secret for secret in settings.secrets if secret in repr(settings)]


@pytest.mark.parametrize(
    "line",
    [
        "mode: ${TOAST_PASSWORD}",
        "mode: x ${TOAST_PASSWORD}",
        "timezone: ${TOAST_PASSWORD}",
        "schedule: ${TOAST_PASSWORD}",
        "http: {timeout: the-password}",
        "http: the-password",
        "limits: {max_share: the-password, max_deletions: the-password}",
        "slack: {webhook_url: the-password}",
        "slack: {webhook_url: https://the-password.example, token: the-password}",
        "slack: {base_url: https://the-password@x}",
        "slack: {app_token: the-password}",
        "slack: [the-password]",
        "heartbeat_url: ping/the-password",
        "heartbeat_url: [the-password]",
        "cost: {per_gib_month: the-password, currency: X}",
        "policies: [the-password]",
        "database: &x *the-password",
        "database: !the-password",
        'database: "the-password',
        "the-password: [",
    ],
)
def test_no_problem_shows_a_secret(write: Write, line: str) -> None:
    target = TARGET.replace("the-password", "${TOAST_PASSWORD}").replace(
        "https://", "https://the-username:the-password@"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(f"{target}{line}\n"), ACCOUNT)

    assert "the-password" not in "".join(traceback.format_exception(caught.value))
