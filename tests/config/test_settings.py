"""The configuration: what each key becomes, what comes from the environment, and what no message may show."""

import os
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from janitor.cloud.openstack.target import Login, OpenStackTarget
from janitor.cloud.service import Sources
from janitor.cloud.toast.target import ToastTarget
from janitor.config import (
    Concurrency,
    Settings,
    Slack,
    find_policies,
    load_settings,
)
from janitor.core.planning.plan import Limits
from janitor.core.result import Cost, Mode
from janitor.errors import ConfigurationError, Exit, UsageError
from janitor.transport import HttpOptions

Write = Callable[[str], Path]
CONTAINER = Path(__file__).parents[2] / "deploy" / "container" / "janitor.yaml"
ACCOUNT = {"TOAST_APPKEY": "the-appkey", "TOAST_USERNAME": "the-username", "TOAST_PASSWORD": "the-password"}
PROJECT = {"NHN_TENANT_ID": "the-tenant", "NHN_USERNAME": "the-username", "NHN_PASSWORD": "the-password"}
IDENTITY = "https://api-identity-infrastructure.nhncloudservice.com/v2.0"
OPENSTACK = OpenStackTarget(
    name="prod",
    api="openstack",
    login=Login(IDENTITY, "the-tenant", "the-username", "the-password"),
    cloud=None,
    region="KR1",
    image_endpoint=None,
    shared_ignored=False,
    usage=Sources(),
    imageless=False,
    http=HttpOptions(),
)

TARGET = """\
targets:
  - name: prod
    endpoint: https://cloud.example/compute
    appkey: the-appkey
    username: the-username
    password: the-password
"""


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JANITOR_CONFIG", raising=False)


@pytest.fixture
def write() -> Write:
    """Writes `janitor.yaml` into the current directory."""

    def write(content: str) -> Path:
        Path("janitor.yaml").write_text(dedent(content))
        return Path("janitor.yaml")

    return write


def problems_of(config: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config, environ or {})
    assert caught.value.exit_code == Exit.USAGE
    return [str(problem) for problem in caught.value.problems]


def toast(settings: Settings) -> ToastTarget:
    """The first target, which is of the v1.0 API."""
    target = settings.targets[0]
    assert isinstance(target, ToastTarget)
    return target


def test_the_least_that_is_needed_and_what_the_rest_is_then(write: Write, tmp_path: Path) -> None:
    assert load_settings(write(TARGET), {}) == Settings(
        source=tmp_path / "janitor.yaml",
        mode=Mode.DRY_RUN,
        database=tmp_path / "janitor.db",
        policies=tmp_path / "policies",
        schedule=None,
        timezone=ZoneInfo("UTC"),
        targets=(
            ToastTarget(
                name="prod",
                api="toast",
                endpoint="https://cloud.example/compute",
                appkey="the-appkey",
                username="the-username",
                password="the-password",
                imageless=False,
                http=HttpOptions(timedelta(seconds=30), attempts=5, give_up_after=timedelta(minutes=2), page_size=1000),
            ),
        ),
        limits=Limits(max_deletions=100, max_share=50.0),
        slack=None,
        channels=(),
        concurrency=Concurrency(targets=4, deletions=4),
        usage_memory=timedelta(hours=72),
        max_shrink=30.0,
        plan_validity=timedelta(hours=24),
        cost=None,
        heartbeat_url=None,
        metrics_file=None,
        http=HttpOptions(),
        references=(),
        secrets=frozenset({"the-appkey", "the-password"}),
    )


EVERYTHING = """\
mode: delete
database: /var/lib/janitor/j.db
policies: ../policies/ci.yaml
schedule: "0 3 * * *"
timezone: Asia/Seoul
targets:
  - name: prod
    api: toast
    endpoint: https://cloud.example/compute/
    appkey: the-appkey
    username: the-username
    password: the-password
    http: {attempts: 2, timeout: 5s}
  - name: test
    endpoint: http://127.0.0.1:8080
    appkey: other-appkey
    username: other-username
    password: other-password
limits: {max_deletions: 0, max_share: 12.5%}
slack:
  token: xoxb-token
  channel: "#cloud-images"
  base_url: https://proxy.example/api
  post: problems
concurrency: {targets: 1, deletions: 32}
http: {timeout: 1m, attempts: 9, give_up_after: 1h, page_size: 2}
cost: {per_gib_month: 1, currency: KRW}
heartbeat_url: https://hc.example/ping/the-uuid
metrics_file: metrics/janitor.prom
"""


def test_every_key(write: Write, tmp_path: Path) -> None:
    settings = load_settings(write(EVERYTHING), {})

    assert settings.mode is Mode.DELETE
    assert settings.database == Path("/var/lib/janitor/j.db")
    assert settings.policies == tmp_path / "../policies/ci.yaml"
    assert str(settings.schedule) == "0 3 * * *"
    assert settings.timezone == ZoneInfo("Asia/Seoul")
    assert [target.endpoint for target in settings.targets if isinstance(target, ToastTarget)] == [
        "https://cloud.example/compute",
        "http://127.0.0.1:8080",
    ]
    assert settings.limits == Limits(0, 12.5)
    assert settings.slack == Slack(None, "xoxb-token", "#cloud-images", "https://proxy.example/api/", "problems")
    assert settings.concurrency == Concurrency(1, 32)
    assert settings.cost == Cost(1.0, "KRW")
    assert settings.heartbeat_url == "https://hc.example/ping/the-uuid"
    assert settings.metrics_file == tmp_path / "metrics/janitor.prom"
    assert {"the-password", "other-password", "xoxb-token", settings.heartbeat_url} <= settings.secrets
    assert "/ping/the-uuid" in settings.secrets, "what is secret of an address is not shown by itself either"


def test_a_target_overrides_the_patience_of_all_key_by_key(write: Write) -> None:
    prod, test = load_settings(write(EVERYTHING), {}).targets

    assert prod.http == HttpOptions(timedelta(seconds=5), 2, timedelta(hours=1), 2)
    assert test.http == HttpOptions(timedelta(minutes=1), 9, timedelta(hours=1), 2)


def test_a_webhook_alone_is_enough_for_slack(write: Write) -> None:
    slack = load_settings(write(TARGET + "slack: {webhook_url: 'https://hooks.example/x?y=z'}\n"), {}).slack

    assert slack == Slack("https://hooks.example/x?y=z", None, None, "https://slack.com/api/", "changes")


@pytest.mark.parametrize("slack", ["slack:", "slack: {}", 'slack: {channel: "#x", post: always}', "slack: {token: ''}"])
def test_without_webhook_and_token_there_is_no_slack(write: Write, slack: str) -> None:
    assert load_settings(write(f"{TARGET}{slack}\n"), {}).slack is None


# Where the file is


def test_the_file_is_the_given_one_or_the_environments_or_the_one_here(write: Write, tmp_path: Path) -> None:
    here = write(TARGET)
    for name in ("given", "named"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "j.yaml").write_text(TARGET)
    environ = {"JANITOR_CONFIG": "named/j.yaml"}

    assert load_settings(Path("given/j.yaml"), environ).source == tmp_path / "given/j.yaml"
    assert load_settings(None, environ).source == tmp_path / "named/j.yaml"
    assert load_settings(None, environ).database == tmp_path / "named/janitor.db"
    assert load_settings(None, {}).source == tmp_path / here
    assert load_settings(None, {"JANITOR_CONFIG": ""}).source == tmp_path / here


def test_a_folder_that_was_removed_is_no_reason_not_to_read_a_file_elsewhere(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / write(TARGET)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert load_settings(there).source == there
    with pytest.raises(UsageError, match="start the program in another"):
        load_settings(Path("janitor.yaml"))


def test_the_environment_is_the_process_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(TARGET).rename("other.yaml")
    monkeypatch.setenv("JANITOR_CONFIG", "other.yaml")

    assert load_settings().source.name == "other.yaml"


def test_no_file_anywhere_says_how_to_write_one_and_that_one_works(write: Write) -> None:
    (told,) = problems_of(None)

    assert "janitor.yaml: does not exist" in told
    assert "JANITOR_CONFIG" in told
    assert "janitor sandbox" in told
    assert load_settings(write(told[told.index("targets:") :]), PROJECT).targets == (OPENSTACK,)


def test_a_file_that_is_named_and_not_there_is_a_problem() -> None:
    assert problems_of(Path("x.yaml")) == ["x.yaml: cannot be read: No such file or directory"]
    assert problems_of(None, {"JANITOR_CONFIG": "y.yaml"}) == ["y.yaml: cannot be read: No such file or directory"]


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
    head = "targets:\n  - name: prod\n    endpoint: http://x\n"
    settings = load_settings(write(f"{head}{target}slack: {{token_file: token, channel: c}}\n"), {"FOLDER": "."})

    assert settings.secrets == {f"{name}-in-a-file" for name in ("appkey", "password", "token")}, "a user is none"

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


# Problems


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("mode: deleet", 'mode: "deleet" is not a mode, did you mean "delete"?', id="near-mode"),
        pytest.param("mode: yes", 'mode: "yes" is not a mode (known: dry-run, delete)', id="no-mode"),
        pytest.param("mode: true", "mode: is true or false: write one of dry-run, delete", id="mode-is-a-word"),
        pytest.param("databse: x", 'databse: unknown key, did you mean "database"?', id="near-key"),
        pytest.param("xyzzy: x", "xyzzy: unknown key (known here: mode, database", id="unknown-key"),
        pytest.param("heartbeat_url: hc-ping.com", "heartbeat_url: is not a URL like", id="no-heartbeat-url"),
        pytest.param("schedule: 0 25 * * *", "schedule: ", id="no-such-hour"),
        pytest.param("schedule: 5", "schedule: is a number: write five fields, in quotes", id="schedule-is-text"),
        pytest.param(
            "timezone: asia/seoul", 'not an IANA time zone, did you mean "Asia/Seoul"?', id="zone-in-lower-case"
        ),
        pytest.param("timezone: Seoul", 'not an IANA time zone, did you mean "Asia/Seoul"?', id="a-city"),
        pytest.param("timezone: KST", '"KST" is not an IANA time zone like Asia/Seoul', id="no-zone"),
        pytest.param("timezone: ../../etc/passwd", "is not an IANA time zone", id="a-path-is-no-zone"),
        pytest.param("timezone: Asia", '"Asia" is not an IANA time zone', id="a-folder-is-no-zone"),
        pytest.param("limits: {max_deletions: -1}", "limits.max_deletions: must be at least 0", id="negative"),
        pytest.param(
            "limits: {max_deletions: many}", "limits.max_deletions: is text: write a whole number", id="words"
        ),
        pytest.param("limits: {max_deletions: true}", "limits.max_deletions: is true or false", id="true-is-not-one"),
        pytest.param("limits: {max_share: 50}", "limits.max_share: is a number: write a percentage", id="no-percent"),
        pytest.param("limits: {max_share: 101%}", '"101%" is not a percentage from 0% to 100%', id="more-than-all"),
        pytest.param("limits: {max_share: -1%}", '"-1%" is not a percentage', id="less-than-none"),
        pytest.param("limits: 5", "limits: is a number: write keys and values", id="limits-is-a-mapping"),
        pytest.param("slack: {post: never}", 'slack.post: "never" is not known here', id="no-such-post"),
        pytest.param("slack: {token: x}", "slack.channel: is missing: a token needs a channel", id="no-channel"),
        pytest.param(
            "slack: {token: x, webhook_url: http://y}", "slack: has both a webhook_url and a token", id="both"
        ),
        pytest.param("slack: {webhook_url: hooks.example}", "slack.webhook_url: is not a URL like", id="no-url"),
        pytest.param("slack: {base_url: 'http://x?y'}", "slack.base_url: must not hold a ? or #", id="query"),
        pytest.param("concurrency: {targets: 0}", "concurrency.targets: must be at least 1", id="nobody-works"),
        pytest.param("concurrency: {deletions: 33}", "concurrency.deletions: must be at most 32", id="too-many-work"),
        pytest.param("http: {timeout: 30}", "http.timeout: is a number: write a duration with its unit", id="no-unit"),
        pytest.param("http: {timeout: 0s}", 'http.timeout: "0s" must be greater than zero', id="no-time"),
        pytest.param("http: {give_up_after: soon}", '"soon" is not a duration like 30s or 2m', id="no-duration"),
        pytest.param("usage_memory: 3m", 'usage_memory: "3m" is minutes or months: 3min or 3mo?', id="months"),
        pytest.param(
            "plan_validity: 3m", 'plan_validity: "3m" is minutes or months: 3min or 3mo?', id="months-of-a-plan"
        ),
        pytest.param("plan_validity: 0m", 'plan_validity: "0m" must be greater than zero', id="no-validity"),
        pytest.param("http: {attempts: 0}", "http.attempts: must be at least 1", id="no-attempt"),
        pytest.param(
            "http: {page_size: 1}", "http.page_size: must be from 2 to 10000: where a page", id="pages-of-one"
        ),
        pytest.param("http: {page_size: 10001}", "http.page_size: must be from 2 to 10000", id="endless-pages"),
        pytest.param("cost: {per_gib_month: 1}", "cost: has a price without a currency", id="no-currency"),
        pytest.param("cost: {per_gib_month: -1, currency: X}", "cost.per_gib_month: must be at least 0", id="a-gift"),
        pytest.param("cost: {per_gib_month: 1e999, currency: X}", "cost.per_gib_month: is a number", id="infinite"),
        pytest.param("cost: {per_gib_month: a lot, currency: X}", "is text: write a number", id="no-number"),
        pytest.param("mode: delete\nmode: dry-run", "mode: is given twice, first in line 7", id="twice"),
    ],
)
def test_a_wrong_value_is_told_with_line_and_key(write: Write, line: str, problem: str) -> None:
    (told,) = problems_of(write(f"{TARGET}{line}\n"))

    assert told.startswith("janitor.yaml:8: " if "twice" in problem else "janitor.yaml:7: ")
    assert problem in told


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("name: prod", "name:", "janitor.yaml:2: targets[0].name: is empty", id="no-name"),
        pytest.param("name: prod", "api: openshift\n    name: p", '"openshift" is not an API known here', id="no-api"),
        pytest.param(
            "name: prod", "api: 1\n    name: p", "api: is a number: write one of toast, openstack", id="a-version"
        ),
        pytest.param("endpoint:", "region:", "api: is missing: write openstack", id="keys-of-the-other-api"),
        pytest.param("https://", "ftp://", "janitor.yaml:3: targets[0].endpoint: is not a URL like", id="not-the-web"),
        pytest.param("cloud.example", "", "targets[0].endpoint: is not a URL like", id="no-host"),
        pytest.param("cloud.example", "x:99999", "targets[0].endpoint: is not a URL like", id="no-port"),
        pytest.param("cloud.example", "[::1", "targets[0].endpoint: is not a URL like", id="half-an-address"),
        pytest.param("cloud.example", "a b", "targets[0].endpoint: is not a URL like", id="a-space"),
        pytest.param("cloud.example", "me:pw@x", "endpoint: must not hold a user name or password", id="userinfo"),
        pytest.param("/compute", "/?a=b", "targets[0].endpoint: must not hold a ? or #", id="query"),
        pytest.param("endpoint:", "endpiont:", 'endpiont: unknown key, did you mean "endpoint"?', id="near-key"),
        pytest.param("the-appkey", "123", "targets[0].appkey: is a number: write text, in quotes", id="a-number"),
        pytest.param("the-appkey", "007", "targets[0].appkey: is a number: write text, in quotes", id="zeros-in-front"),
        pytest.param("the-appkey", '"a\\nb"', "targets[0].appkey: holds a line break", id="a-line-break"),
    ],
)
def test_a_wrong_target_is_told_with_its_place(write: Write, old: str, new: str, problem: str) -> None:
    assert problem in "\n".join(problems_of(write(TARGET.replace(old, new))))


@pytest.mark.parametrize("targets", ["", "targets:\n", "targets: []\n"])
def test_there_must_be_a_target(write: Write, targets: str) -> None:
    (told,) = problems_of(write(f"mode: delete\n{targets}"))

    assert ": targets: " in told


@pytest.mark.parametrize(
    ("endpoint", "appkey", "one"),
    [
        ("https://cloud.example/compute", "the-appkey", True),
        ("https://CLOUD.example.:443//compute/", "${KEY}", True),
        ("https://cloud.example/compute", "another", False),
        ("https://cloud.example:8443/compute", "the-appkey", False),
    ],
)
def test_an_account_has_one_target(write: Write, endpoint: str, appkey: str, one: bool) -> None:
    first = TARGET.removeprefix("targets:\n")
    second = first.replace("prod", "stage").replace("https://cloud.example/compute", endpoint)
    path = write(TARGET + second.replace("the-appkey", appkey))

    if not one:
        assert len(load_settings(path, {}).targets) == 2
        return
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, {"KEY": "the-appkey"})

    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:7: targets[1]: has the endpoint and appkey of target prod: every image would be decided on twice; "
        "remove one of the two"
    ]


def test_target_names_are_unique(write: Write) -> None:
    second = TARGET.removeprefix("targets:\n")

    assert problems_of(write(TARGET + second)) == [
        'janitor.yaml:7: targets[1].name: "prod" is already the name of targets[0]'
    ]


def test_every_problem_is_told_at_once_in_the_order_of_lines(write: Write) -> None:
    path = write(
        """\
        mode: deleet
        targets:
          - name: a
            endpoint: x
            appkey: ${NOPE}
            username: ${NOPE:-}
            password_file: nowhere
          - name: a
        slack: {token: t}
        htpp: {}
        """
    )

    assert [problem.split(": ")[0:2] for problem in problems_of(path)] == [
        ["janitor.yaml:1", "mode"],
        ["janitor.yaml:4", "targets[0].endpoint"],
        ["janitor.yaml:5", "targets[0].appkey"],
        ["janitor.yaml:6", "targets[0].username"],
        ["janitor.yaml:7", "targets[0].password_file"],
        ["janitor.yaml:8", "targets[1].name"],
        ["janitor.yaml:8", "targets[1].appkey"],
        ["janitor.yaml:8", "targets[1].username"],
        ["janitor.yaml:8", "targets[1].password"],
        ["janitor.yaml:9", "slack.channel"],
        ["janitor.yaml:10", "htpp"],
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


# Policies and the container


def test_the_place_of_the_policies_is_known_though_other_things_are_wrong(write: Write, tmp_path: Path) -> None:
    assert find_policies(write("mode: deleet\n"), {}) == tmp_path / "policies"
    assert find_policies(write("mode: deleet\npolicies: ${X}/p\n"), {"X": "a"}) == tmp_path / "a/p"


@pytest.mark.parametrize(
    "content", ["policies: ${X}\n", "policies: [a]\n", "polices: there\n", "Policy: a\n", "a: [\n", "", "- a\n"]
)
def test_the_place_of_the_policies_is_not_guessed(write: Write, content: str) -> None:
    assert find_policies(write(content), {}) is None


def test_the_container_needs_nothing_but_the_account() -> None:
    settings = load_settings(
        CONTAINER, PROJECT | {"NHN_IDENTITY": IDENTITY, "NHN_REGION": "KR1", "JANITOR_TARGET": "prod"}
    )

    assert settings.mode is Mode.DRY_RUN
    assert settings.database == Path("/data/janitor.db")
    assert settings.policies == CONTAINER.parent / "policies"
    assert str(settings.schedule) == "0 3 * * *"
    assert settings.timezone == ZoneInfo("UTC")
    assert settings.targets == (OPENSTACK,)
    assert settings.limits == Limits()
    assert settings.slack is None
    assert settings.cost is None
    assert (settings.heartbeat_url, settings.metrics_file) == (None, None)
    assert settings.secrets == {"the-password"}


def test_the_container_takes_the_rest_from_the_environment_too() -> None:
    settings = load_settings(
        CONTAINER,
        ACCOUNT
        | {
            "JANITOR_API": "toast",
            "JANITOR_MODE": "delete",
            "JANITOR_SCHEDULE": "*/5 * * * *",
            "JANITOR_TIMEZONE": "Asia/Seoul",
            "JANITOR_TARGET": "prod",
            "JANITOR_MAX_DELETIONS": "5",
            "JANITOR_MAX_SHARE": "10%",
            "TOAST_ENDPOINT": "http://127.0.0.1:8080/compute",
            "SLACK_BOT_TOKEN": "xoxb-token",
            "SLACK_CHANNEL": "#cloud-images",
            "SLACK_POST": "always",
            "COST_PER_GIB_MONTH": "0.05",
            "COST_CURRENCY": "USD",
            "JANITOR_HEARTBEAT_URL": "https://hc.example/x",
            "JANITOR_METRICS_FILE": "/metrics/janitor.prom",
        },
    )

    assert settings.mode is Mode.DELETE
    assert str(settings.schedule) == "*/5 * * * *"
    assert settings.timezone == ZoneInfo("Asia/Seoul")
    assert (settings.targets[0].name, toast(settings).endpoint) == ("prod", "http://127.0.0.1:8080/compute")
    assert settings.limits == Limits(5, 10.0)
    assert settings.slack == Slack(None, "xoxb-token", "#cloud-images", "https://slack.com/api/", "always")
    assert settings.cost == Cost(0.05, "USD")
    assert settings.heartbeat_url == "https://hc.example/x"
    assert settings.metrics_file == Path("/metrics/janitor.prom")
