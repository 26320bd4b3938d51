"""The configuration: what each key becomes, where the file is, and the container's own file."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from janitor.cloud.openstack.target import Login, OpenStackTarget
from janitor.cloud.service import Sources
from janitor.cloud.toast.target import ToastTarget
from janitor.config import Concurrency, Settings, Slack, find_policies, load_settings
from janitor.core.planning.plan import Limits
from janitor.core.result import Cost, Mode
from janitor.errors import UsageError
from janitor.transport import HttpOptions
from tests.config.configuration import ACCOUNT, EVERYTHING, TARGET, Write, problems_of, toast

pytestmark = pytest.mark.usefixtures("empty_folder")

CONTAINER = Path(__file__).parents[2] / "deploy" / "container" / "janitor.yaml"

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
        owners=None,
        concurrency=Concurrency(targets=4, deletions=4),
        usage_memory=timedelta(hours=72),
        max_shrink=30.0,
        max_images=1_000_000,
        plan_validity=timedelta(hours=24),
        keep_history=None,
        cost=None,
        heartbeat_url=None,
        metrics_file=None,
        http=HttpOptions(),
        references=(),
        secrets=frozenset({"the-appkey", "the-password"}),
    )


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
    assert settings.max_images == 10_000_000
    assert settings.slack == Slack(None, "xoxb-token", "#cloud-images", "https://proxy.example/api/", "problems")
    assert settings.concurrency == Concurrency(1, 32)
    assert settings.cost == Cost(1.0, "KRW")
    assert settings.heartbeat_url == "https://hc.example/ping/the-uuid"
    assert settings.metrics_file == tmp_path / "metrics/janitor.prom"
    assert {"the-password", "other-password", "xoxb-token", settings.heartbeat_url} <= settings.secrets
    assert "/ping/the-uuid" in settings.secrets, "what is secret of an address is not shown by itself either"


def test_a_target_overrides_the_patience_of_all_key_by_key(write: Write) -> None:
    prod, test = load_settings(write(EVERYTHING), {}).targets

    assert prod.http == HttpOptions(timedelta(seconds=5), 2, timedelta(hours=1), 2, 16)
    assert test.http == HttpOptions(timedelta(minutes=1), 9, timedelta(hours=1), 2, 16)


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
