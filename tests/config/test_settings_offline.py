"""A configuration without its secrets, as commands read it that only look at what is recorded."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from janitor.config import Settings, load_settings
from janitor.errors import ConfigurationError
from janitor.notify.channels import SCHEMAS
from janitor.transport import HttpOptions
from tests.config.configuration import TARGET, Write, problems_of, toast
from tests.documentation import ROOT

pytestmark = pytest.mark.usefixtures("empty_folder")

WHOLE = """\
mode: delete
database: ${DB:-here.db}
schedule: "0 3 * * *"
timezone: Asia/Seoul
targets:
  - {name: old, endpoint: "${ENDPOINT}", appkey: "${APPKEY}", username_file: run/user, password: "${PASSWORD}"}
  - {name: older, appkey: "${APPKEY2}", username: "${OS_USERNAME}", password_file: "${SECRETS}/password"}
  - name: new
    api: openstack
    identity: https://${HOST}/v2.0
    tenant_id: ${TENANT}
    username: ${OS_USERNAME}
    password: ${OS_PASSWORD}
    region: "*"
    image_endpoint: ${IMAGES}
    http: {proxy: "http://${USER_OF_PROXY}@proxy.example:3128", ca_file: not-here.pem}
  - {name: cloud, api: openstack, cloud: "${CLOUD}"}
  - {name: bare, api: openstack}
slack:
  token: ${SLACK_BOT_TOKEN}
  app_token_file: /run/secrets/app
  channel: "#cloud-images"
  base_url: ${SLACK_BASE_URL}
  approvers: [U012ABC]
owners: {team-web: {channel: "#team-web"}}
references:
  - {url: "${URL}", token: "${VAULT_TOKEN}"}
  - {files: "${INFRA}/*.tf", needed: optional}
heartbeat_url: ${HEARTBEAT}
http: {proxy: "${PROXY}", ca_file: also-not-here.pem, attempts: 2}
cost: {per_gib_month: 0.05, currency: USD}
"""

ENVIRONMENT = {
    "ENDPOINT": "https://cloud.example/compute",
    "APPKEY": "appkey-one",
    "APPKEY2": "appkey-two",
    "PASSWORD": "password-one",
    "SECRETS": "run",
    "HOST": "identity.example",
    "TENANT": "tenant",
    "OS_USERNAME": "user",
    "OS_PASSWORD": "password-two",
    "OS_CLOUD": "mine",
    "IMAGES": "https://images.example",
    "USER_OF_PROXY": "user:password-three",
    "CLOUD": "mine",
    "SLACK_BOT_TOKEN": "xoxb-token",
    "SLACK_BASE_URL": "https://slack.example/api",
    "URL": "https://vault.example/x",
    "VAULT_TOKEN": "vault-token",
    "INFRA": "/infra",
    "HEARTBEAT": "https://hc.example/y",
    "PROXY": "http://proxy.example:3128",
}


def offline(path: Path, environ: dict[str, str] | None = None) -> Settings:
    return load_settings(path, environ or {}, lambda: SCHEMAS, offline=True)


def known(settings: Settings) -> Settings:
    """What no secret and no address is a part of."""
    return replace(
        settings, targets=(), references=(), secrets=frozenset(), heartbeat_url=None, http=HttpOptions(), slack=None
    )


def with_secrets(path: Path) -> Settings:
    Path("run").mkdir()
    Path("run/user").write_text("user")
    Path("run/password").write_text("password-four")
    text = path.read_text().replace("/run/secrets/app", "run/app")
    Path("run/app").write_text("xapp-app")
    pem = next(file for file in Path("/etc/ssl/certs").iterdir() if file.is_file())
    path.write_text(text.replace("also-not-here.pem", str(pem)).replace("not-here.pem", str(pem)))
    return load_settings(path, ENVIRONMENT, lambda: SCHEMAS)


def test_without_any_secret_everything_else_is_as_with_all_of_them(write: Write) -> None:
    path = write(WHOLE)
    without = offline(path)
    whole = with_secrets(path)
    assert without.slack is not None
    assert whole.slack is not None
    assert known(without) == known(whole)
    assert [(one.name, one.api, one.is_in_every_region) for one in without.targets] == [
        (one.name, one.api, one.is_in_every_region) for one in whole.targets
    ]
    assert [(one.names, one.required) for one in without.references] == [
        (one.names, one.required) for one in whole.references
    ]
    assert without.http.attempts == 2
    assert without.slack.channel == whole.slack.channel
    assert bool(without.slack.token) == bool(whole.slack.token)
    assert bool(without.slack.app_token) == bool(whole.slack.app_token)
    assert without.slack.webhook_url is None


def test_empty_variables_are_missing_too(write: Write) -> None:
    path = write(WHOLE)
    assert offline(path, dict.fromkeys(ENVIRONMENT, "")) == offline(path)


def test_what_runs_still_need_every_secret(write: Write) -> None:
    problems = problems_of(write(WHOLE))
    for name in ENVIRONMENT.keys() - {"OS_CLOUD", "USER_OF_PROXY", "PROXY"}:
        assert any(f"variable {name} is not set" in problem for problem in problems), name
    assert any("run/user cannot be read" in problem for problem in problems)


def test_stand_ins_are_no_secrets_and_nobody_can_be_reached_by_them(write: Write) -> None:
    settings = offline(write(WHOLE))
    assert settings.secrets == frozenset()
    hosts = [toast(settings).endpoint, settings.targets[2].address, settings.slack.base_url if settings.slack else ""]
    assert all(host and host.rstrip("/").removesuffix("/v2.0").endswith(".invalid") for host in hosts)


def test_secrets_that_are_there_are_read_and_shown_nowhere(write: Write) -> None:
    path = write(TARGET.replace("the-password", "${PASSWORD}").replace("the-appkey", "${KEY}"))
    settings = offline(path, {"PASSWORD": "a-password"})
    assert toast(settings).password == "a-password"
    assert settings.secrets == {"a-password"}


def test_two_accounts_with_missing_keys_are_not_taken_for_one(write: Write) -> None:
    account = "{name: NAME, appkey: '${KEY}', username: u, password: p}"
    both = ", ".join(account.replace("NAME", name) for name in ("a", "b"))
    assert [target.name for target in offline(write(f"targets: [{both}]\n")).targets] == ["a", "b"]


WRONG = {
    "needed-variable": ("database: ${DB}", "database: environment variable DB is not set"),
    "policies": ("policies: ${POLICIES}/x", "policies: environment variable POLICIES is not set"),
    "timezone": ("timezone: ${TZ_OF_TEAM}", "timezone: environment variable TZ_OF_TEAM is not set"),
    "unknown-key": ("slack: {tokn: 'x', channel: '#x'}", 'slack.tokn: unknown key, did you mean "token"?'),
    "wrong-value": ("slack: {token: '${T}', channel: '#x', post: never}", 'slack.post: "never" is not known here'),
    "wrong-secret": ("slack: {webhook_url: hook}", "slack.webhook_url: is not a URL like"),
    "wrong-app-token": ("slack: {token: x, app_token: xoxb, channel: c}", "slack.app_token: is not an app-level token"),
    "broken-reference": ("heartbeat_url: ${X", "heartbeat_url: holds a ${ that is neither"),
    "broken-beside-missing": ("slack: {webhook_url: '${X}${'}", "slack.webhook_url: holds a ${ that is neither"),
    "left-empty": ("slack: {token: '', channel: '#x'}\nowners: {a: {channel: '#x'}}", "owners: needs `slack`"),
    "channel": ("slack: {token: '${T}'}", "slack.channel: is missing"),
    "channel-unset": ("slack: {token: '${T}', channel: '${C}'}", "slack.channel: environment variable C is not set"),
    "both": ("slack: {token: '${T}', webhook_url: '${W}', channel: '#x'}", "slack: has both a webhook_url and a token"),
    "both-forms": ("heartbeat_url: https://x\nheartbeat_url_file: y", "heartbeat_url_file: give either heartbeat_url"),
    "empty-file": ("heartbeat_url_file: empty", "heartbeat_url_file: empty is empty"),
    "a-folder": ("heartbeat_url_file: folder", "heartbeat_url_file: folder cannot be read: Is a directory"),
    "proxy": ("http: {proxy: 'nonsense://x'}", "http.proxy: "),
    "reference": ("references: [{names: true}]", "references[0]: has neither files nor a url"),
}


@pytest.mark.parametrize(("text", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_stays_wrong(write: Write, text: str, problem: str) -> None:
    Path("empty").touch()
    Path("folder").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        offline(write(f"{TARGET}{text}\n"))
    [told] = map(str, caught.value.problems)
    assert problem in told
    assert "invalid" not in told


def test_a_missing_file_of_a_secret_is_none_but_every_problem_beside_it_is_told(write: Write) -> None:
    path = write(TARGET.replace("password: the-password", "password_file: /run/secrets/x") + "mode: wipe\n")
    with pytest.raises(ConfigurationError) as caught:
        offline(path)
    assert [problem.key for problem in caught.value.problems] == ["mode"]


# Values that may be empty


@pytest.mark.parametrize(
    ("slack", "found"),
    [
        pytest.param("token: '${T:-}', channel: '#x'", "token", id="token"),
        pytest.param("webhook_url: '${W:-}'", "webhook_url", id="webhook"),
        pytest.param("webhook_url: '${W:-}', token: '${T:-}'", "webhook_url", id="either-without-channel"),
        pytest.param("webhook_url: '${W:-}', token: '${T:-}', channel: '#x'", "token", id="either-with-channel"),
        pytest.param("webhook_url_file: '${W:-}', token_file: '${T:-}', channel: x", "token", id="files"),
        pytest.param("channel: '#x'", None, id="neither-is-written"),
        pytest.param("token: '', channel: '#x'", None, id="empty-as-written"),
    ],
)
def test_slack_is_there_if_its_secret_may_be_where_runs_begin(write: Write, slack: str, found: str | None) -> None:
    settings = offline(write(f"{TARGET}slack: {{{slack}}}\n"))
    given = settings.slack and {"token": settings.slack.token, "webhook_url": settings.slack.webhook_url}
    assert [name for name, value in (given or {}).items() if value] == ([found] if found else [])


def test_slack_that_is_there_is_not_guessed(write: Write) -> None:
    text = f"{TARGET}slack: {{webhook_url: '${{W:-}}', token: '${{T:-}}', channel: '#x'}}\n"
    slack = offline(write(text), {"W": "https://hooks.example/x"}).slack
    assert slack is not None
    assert (slack.webhook_url, slack.token) == ("https://hooks.example/x", None)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="openstack"),
        pytest.param({"NHN_IDENTITY": "https://identity.example", "NHN_TENANT_ID": "t"}, id="identity"),
        pytest.param({"JANITOR_API": "toast"}, id="toast"),
    ],
)
def test_the_shipped_configuration_of_the_container_needs_no_secret(tmp_path: Path, environ: dict[str, str]) -> None:
    shipped = yaml.safe_load((ROOT / "deploy/container/janitor.yaml").read_text())
    assert shipped["database"] == "/data/janitor.db"
    (tmp_path / "janitor.yaml").write_text(yaml.safe_dump(shipped | {"database": "janitor.db"}))
    settings = offline(tmp_path / "janitor.yaml", environ)
    assert settings.targets[0].name == "cloud"
    assert settings.slack is not None
    assert settings.cost is None


def test_what_may_be_empty_is_left_out_where_nothing_needs_it(write: Write) -> None:
    account = "{name: a, api: openstack, cloud: lab, password: '${P:-}', image_endpoint: '${I:-}'}"
    [target] = offline(write(f"targets: [{account}]\nheartbeat_url: ${{H:-}}\n")).targets
    assert (target.project, target.address) == (None, None)
