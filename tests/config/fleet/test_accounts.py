"""The accounts of a fleet: each is read as the only target of a configuration of its own."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from janitor.config import load_settings
from janitor.errors import ConfigurationError, UsageError
from tests.config.fleet.fleets import (
    ENVIRON,
    POLICIES,
    TWO,
    WHOLE,
    accounts_of,
    problems_of_account,
    problems_of_accounts,
    write_fleet,
)

pytestmark = pytest.mark.usefixtures("empty_folder")

ALONE = """\
timezone: Asia/Seoul
slack: {token: xoxb-token, channel: "#main"}
limits: {max_deletions: 7}
database: shards/shard-057/web.db
targets:
  - {name: web, appkey: appkey-web, username: kim, password: "${PASSWORD}"}
"""


def test_names_are_in_the_order_of_lines() -> None:
    assert accounts_of(accounts_yaml=TWO).names == ("web", "data")


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names() -> None:
    whole = WHOLE.replace("accounts.yaml", "accounts")
    Path("accounts").mkdir()
    for file, name in (("b.yaml", "b"), ("a.yml", "a"), (".hidden.yaml", "h"), ("notes.md", "n"), ("c.csv", "c")):
        Path("accounts", file).write_text(TWO.partition("#")[0].replace("web", name))
    assert accounts_of(whole).names == ("a", "b")


def test_an_account_is_as_the_only_target_of_a_configuration() -> None:
    accounts = accounts_of(accounts_yaml=TWO)
    account = accounts.settings_of("web")
    Path("janitor.yaml").write_text(ALONE)
    alone = load_settings(Path("janitor.yaml"), ENVIRON)

    assert account.fleet == accounts.settings.fleet
    assert account.secrets == alone.secrets | {ENVIRON["FLEET_URL"], "the-pw"}
    assert replace(account, fleet=None, secrets=alone.secrets) == alone


def test_a_channel_of_its_own_replaces_the_main_one() -> None:
    accounts = accounts_of(accounts_yaml=TWO)
    channels = [slack.channel for name in accounts.names if (slack := accounts.settings_of(name).slack)]
    assert channels == ["#main", "#data"]


@pytest.mark.parametrize("channel", ["", "channel:", 'channel: ""', "channel: ${NONE:-}"])
def test_a_channel_that_is_left_empty_is_the_main_one(channel: str) -> None:
    slack = (
        accounts_of(accounts_yaml=f"- name: web\n  cloud: lab\n  api: openstack\n  {channel}\n")
        .settings_of("web")
        .slack
    )
    assert slack is not None
    assert slack.channel == "#main"


@pytest.mark.parametrize("slack", ["", "slack: {webhook_url: 'https://hooks.example/x'}\n"])
def test_a_channel_needs_a_bot(slack: str) -> None:
    whole = slack + WHOLE.replace('slack: {token: xoxb-token, channel: "#main"}\n', "")
    problems = problems_of_account(accounts_of(whole, accounts_yaml=TWO), "data")
    assert problems == [
        "accounts.yaml:6: data: channel: needs `slack` with a bot token, as a webhook posts to one channel only"
    ]


def test_the_targets_of_all_accounts_are_read() -> None:
    assert [target.name for target in accounts_of(accounts_yaml=TWO).targets()] == ["web", "data"]


def test_load_settings_reads_one_account() -> None:
    path = write_fleet(accounts_yaml=TWO)
    settings = load_settings(path, ENVIRON, account="data")
    assert [target.name for target in settings.targets] == ["data"]
    assert settings.database.name == "data.db"


def test_the_whole_fleet_has_no_targets_and_no_database() -> None:
    settings = load_settings(write_fleet(), ENVIRON, whole=True)
    assert settings.targets == ()
    assert settings.fleet is not None
    assert settings.database == settings.fleet.state == Path.cwd() / "shards"


def test_a_command_for_one_account_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match="`janitor fleet exec NAME -- …`") as caught:
        load_settings(write_fleet(accounts_yaml=TWO), ENVIRON)
    assert str(caught.value).startswith("janitor.yaml has the key `fleet`: ")


@pytest.mark.parametrize("asked", [{"account": "web"}, {"whole": True}])
def test_without_a_fleet_there_are_no_accounts(asked: dict[str, object]) -> None:
    Path("janitor.yaml").write_text(ALONE)
    with pytest.raises(UsageError, match=r"janitor\.yaml has no key `fleet`"):
        load_settings(Path("janitor.yaml"), ENVIRON, **asked)  # type: ignore[arg-type]


def test_an_account_that_is_not_there_is_told_with_the_one_that_is_meant() -> None:
    accounts = accounts_of(accounts_yaml=TWO)
    with pytest.raises(UsageError, match=r'no account of accounts\.yaml has the name wbe, did you mean "web"\?'):
        accounts.settings_of("wbe")
    with pytest.raises(UsageError, match="no account of"):
        accounts.digest_of("wbe")


def test_offline_an_account_needs_no_secrets() -> None:
    settings = load_settings(write_fleet(accounts_yaml=TWO), {}, account="web", offline=True)
    assert [target.name for target in settings.targets] == ["web"]
    assert settings.secrets == {"xoxb-token", "appkey-web"}


def test_the_problems_of_an_account_are_told_where_it_is_written() -> None:
    text = TWO.replace("username: kim", "user: kim").replace("lab", "lab, usage: {volumes: maybe}")
    accounts = accounts_of(accounts_yaml=text)
    assert problems_of_account(accounts, "web") == [
        "accounts.yaml:1: web: username: is missing",
        'accounts.yaml:3: web: user: unknown key, did you mean "username"?',
    ]
    assert problems_of_account(accounts, "data") == [
        'accounts.yaml:6: data: usage.volumes: "maybe" is not known here (known: auto, required, optional, off)'
    ]
    with pytest.raises(ConfigurationError) as caught:
        accounts.targets()
    assert len(caught.value.problems) == 3


def test_a_missing_secret_of_an_account_is_told_where_it_is_written() -> None:
    accounts = accounts_of(environ={"FLEET_URL": ENVIRON["FLEET_URL"]}, accounts_yaml=TWO)
    assert problems_of_account(accounts, "web") == [
        "accounts.yaml:4: web: password: environment variable PASSWORD is not set"
    ]
    assert accounts.settings_of("data").targets


def test_a_key_that_is_given_twice_and_a_comment_are_told_there_too() -> None:
    accounts = accounts_of(accounts_yaml="- cloud: a\n  name: web\n  cloud: b\n  api: openstack\n  region: #KR1\n")
    assert problems_of_account(accounts, "web") == [
        "accounts.yaml:3: web: cloud: is given twice, first in line 1",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("- {cloud: a}", "1: name: is missing: give every account its own name", id="none"),
        pytest.param("- {name: ''}", "1: name: is empty: give every account its own name", id="empty"),
        pytest.param("- {name: 5}", "1: name: is no text: write it in quotes", id="a-number"),
        pytest.param("- a", "1: name: is missing: give every account its own name", id="no-keys"),
        pytest.param("- {name: 'a '}", "1: name: must not begin or end with a space, nor hold", id="a-blank"),
        pytest.param('- {name: "a\\tb"}', "1: name: must not begin or end with a space, nor hold", id="a-tab"),
        pytest.param("- {name: '${X}'}", "1: name: holds ${: every host must have the same names", id="a-variable"),
        pytest.param(
            "- {name: a}\n- {name: a}", "2: name: is already the name of the account at accounts.yaml:1", id="twice"
        ),
        pytest.param("- {name: a}\n\n- {name: A}", "3: name: is already the name of the account", id="in-capitals"),
        pytest.param("- {name: \u00e9}\n- {name: e\u0301}", "2: name: is already the name of the", id="composed"),
        pytest.param("targets:\n- {name: a}", "1: must hold a list, each item of which begins with a dash", id="keys"),
        pytest.param("- {name: a\n- {name: b}", "2: is not YAML:", id="no-yaml"),
        pytest.param("# none yet\n", "1: is empty", id="nothing"),
        pytest.param("[]", " holds no accounts", id="no-accounts"),
    ],
)
def test_what_is_wrong_with_a_list_is_told_with_its_line(text: str, problem: str) -> None:
    [told] = problems_of_accounts(accounts_yaml=text)
    assert told.startswith(f"accounts.yaml:{problem}")


def test_names_are_unique_over_all_files_of_a_folder() -> None:
    Path("accounts").mkdir()
    for file in ("a.yaml", "b.yaml"):
        Path("accounts", file).write_text("# first line\n- {name: web}\n")
    [told] = problems_of_accounts(WHOLE.replace("accounts.yaml", "accounts"))
    assert told == "accounts/b.yaml:2: name: is already the name of the account at accounts/a.yaml:2"


def test_the_problems_of_all_files_are_told_at_once_but_not_without_end() -> None:
    Path("accounts").mkdir()
    for file in ("a.yaml", "b.yaml"):
        Path("accounts", file).write_text("a: b")
    assert len(problems_of_accounts(WHOLE.replace("accounts.yaml", "accounts"))) == 2
    told = problems_of_accounts(accounts_yaml="- {cloud: a}\n" * 1200)
    assert len(told) == 101
    assert told[-1] == "accounts.yaml: has 1,100 more such problems"


def test_accounts_that_cannot_be_read_are_told() -> None:
    assert problems_of_accounts() == ["accounts.yaml: cannot be read: No such file or directory"]
    Path("accounts").mkdir()
    assert problems_of_accounts(WHOLE.replace("accounts.yaml", "accounts")) == [
        "accounts: holds no accounts: no *.yaml or *.yml file is in it"
    ]


def test_two_names_of_one_account_are_a_problem() -> None:
    text = "".join(f"- {{name: {name}, appkey: the-appkey, username: u, password: p}}\n" for name in "ab")
    with pytest.raises(ConfigurationError) as caught:
        accounts_of(accounts_yaml=text).targets()
    assert [str(problem) for problem in caught.value.problems] == [
        "accounts.yaml:2: b: is the account a under another name: every image would be decided on twice"
    ]


def test_no_problem_shows_a_secret() -> None:
    text = TWO.replace("${PASSWORD}", '"the\\npassword of kim"')
    [told] = problems_of_account(accounts_of(accounts_yaml=text), "web")
    assert told == "accounts.yaml:4: web: password: holds a line break or another control character"


def test_a_reference_in_the_path_of_the_state_is_not_replaced_twice() -> None:
    environ = {**ENVIRON, "STATE": "/data/${HOME}", "HOME": "/root"}
    accounts = accounts_of(WHOLE.replace("state: shards", "state: ${STATE}"), environ, accounts_yaml=TWO)
    assert str(accounts.settings_of("web").database).startswith("/data/${HOME}/shard-")


@pytest.mark.parametrize("changed", ["janitor.yaml", "accounts.yaml", "policies/all.yaml"])
def test_a_file_that_changes_is_noticed(changed: str) -> None:
    accounts = accounts_of(accounts_yaml=TWO)
    assert accounts.are_current
    file = Path(changed)
    before = file.stat()
    file.write_text(file.read_text().replace("a", "b"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not accounts.are_current


def test_a_policy_file_that_comes_or_goes_is_noticed() -> None:
    accounts = accounts_of(accounts_yaml=TWO)
    Path("policies/more.yaml").write_text(POLICIES)
    assert not accounts.are_current
    Path("policies/more.yaml").unlink()


def test_a_link_that_leads_elsewhere_is_noticed() -> None:
    """As Kubernetes changes what it mounts."""
    for folder in ("old", "new"):
        Path(folder).mkdir()
        Path(folder, "accounts.yaml").write_text(TWO)
        os.utime(f"{folder}/accounts.yaml", (0, 0))
    Path("accounts.yaml").symlink_to("old/accounts.yaml")
    accounts = accounts_of()
    Path("accounts.yaml").unlink()
    Path("accounts.yaml").symlink_to("new/accounts.yaml")
    assert not accounts.are_current


def test_ten_thousand_names_are_read_without_checking_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.config.fleet.accounts.settings_of", None)
    text = "".join(f"- {{name: account-{number}, cloud: a, api: openstack}}\n" for number in range(10_000))
    assert len(accounts_of(accounts_yaml=text).names) == 10_000


def test_what_is_wrong_with_the_whole_is_told_before_any_account() -> None:
    with pytest.raises(ConfigurationError, match=r"limits\.max_deletions"):
        accounts_of(WHOLE.replace("7", "many"), accounts_yaml="a: b")
