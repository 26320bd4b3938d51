"""Digests of what is configured for an account: equal where the same is written, and without any secret."""

from pathlib import Path

import pytest

from janitor.config.fleet.accounts import load_accounts
from janitor.config.fleet.digests import digest_of
from janitor.errors import ConfigurationError
from janitor.notify.channels import SCHEMAS
from tests.config.fleet.fleets import ENVIRON, POLICIES, TWO, WHOLE, accounts_of

pytestmark = pytest.mark.usefixtures("empty_folder")


def digest(whole: str = WHOLE, accounts: str = TWO, name: str = "web", environ: dict[str, str] = ENVIRON) -> str:
    return accounts_of(whole, environ, accounts_yaml=accounts).digest_of(name)


def test_it_never_changes_where_nothing_does() -> None:
    """Or every queued job would be refused after an upgrade, so a change of this is one for the changelog."""
    assert digest() == digest()
    assert digest() == "61f8650407e9f11e0fdd1207ec2c2da270b7227347f3c753ae241ac6eac0776d"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("max_deletions: 7", "max_deletions: 8", id="a-limit"),
        pytest.param("Asia/Seoul", "Asia/Tokyo", id="the-zone"),
        pytest.param("#main", "#other", id="the-channel"),
        pytest.param("state: shards", "state: ${STATE:-shards}", id="the-state"),
        pytest.param("${FLEET_URL}", "${FLEET_URL:-}${OTHER_URL:-}", id="another-variable"),
        pytest.param("timezone", "mode: delete\ntimezone", id="one-key-more"),
    ],
)
def test_what_is_written_in_the_configuration_counts(old: str, new: str) -> None:
    assert digest(WHOLE.replace(old, new)) != digest()


@pytest.mark.parametrize(
    ("key", "values"),
    [
        pytest.param("mode: ${ON_THIS_HOST}\ntimezone", ("dry-run", "delete"), id="the-mode"),
        pytest.param("limits: {max_deletions: '${ON_THIS_HOST}'}\ntimezone", ("5", "5000"), id="a-limit"),
    ],
)
def test_what_rules_deletions_counts_as_the_variables_of_a_host_make_it(key: str, values: tuple[str, str]) -> None:
    whole = "\n".join(line for line in WHOLE.splitlines() if "max_deletions" not in line).replace("timezone", key, 1)
    one, other = (digest(whole, environ={**ENVIRON, "ON_THIS_HOST": value}) for value in values)
    assert one != other


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("kim", "lee", id="who-signs-in"),
        pytest.param("${PASSWORD}", "${PASSWORD2}", id="another-variable"),
        pytest.param("password: ${PASSWORD}", "password_file: web", id="from-a-file"),
        pytest.param("  username", "  http: {timeout: 5s}\n  username", id="patience"),
        pytest.param("  username", "  channel: '#web'\n  username", id="the-channel"),
    ],
)
def test_what_is_written_at_the_account_counts_for_it_alone(old: str, new: str) -> None:
    changed = TWO.replace(old, new)
    environ = {**ENVIRON, "PASSWORD2": "x"}
    assert digest(accounts=changed, environ=environ) != digest()
    assert digest(accounts=changed, name="data", environ=environ) == digest(name="data")


def test_every_account_has_its_own() -> None:
    assert digest() != digest(name="data")


def test_what_stands_around_the_account_does_not_count() -> None:
    moved = f"# moved\n- {{name: new, cloud: a, api: openstack}}\n{TWO}"
    assert digest(accounts=moved) == digest()


def test_neither_the_order_of_keys_nor_comments_nor_empty_keys_count() -> None:
    other = "\n".join(reversed(WHOLE.partition("fleet:")[0].splitlines())) + "\ncost:  # later\nfleet:"
    assert digest(other + WHOLE.partition("fleet:")[2]) == digest()


def test_policies_count_and_their_tests_do_not() -> None:
    first = digest()
    Path("policies/all.test.yaml").write_text("x")
    assert digest() == first
    Path("policies/more.yaml").write_text(POLICIES)
    second = digest()
    assert second != first
    Path("policies/more.yaml").rename("policies/other.yaml")
    assert digest() not in (first, second)


def test_policies_that_cannot_be_read_have_none() -> None:
    accounts = accounts_of(WHOLE + "policies: nowhere\n", accounts_yaml=TWO)
    with pytest.raises(ConfigurationError, match="No such file"):
        accounts.digest_of("web")


SECRETS = """\
timezone: Asia/Seoul
heartbeat_url: https://hc.example/SECRET
http: {proxy: "kim:SECRET@proxy:3128"}
slack: {token: xoxb-SECRET, channel: "#main", app_token: xapp-SECRET}
references: [{url: "https://kim:SECRET@vault.example/x?token=SECRET#SECRET"}, {url: "https://v/", token: SECRET}]
channels: [{file: reports.jsonl}]
fleet:
  database: postgresql://kim:SECRET@db/x?password=SECRET
  state: shards
  targets: accounts.yaml
"""
SECRET_ACCOUNT = (
    "- {name: web, appkey: SECRET, username: kim, password: '${P:-SECRET}', http: {proxy: 'http://SECRET@p'}}"
)


def test_no_secret_changes_it_so_none_can_be_found_out_from_it() -> None:
    first, second = (
        digest(SECRETS.replace("SECRET", secret), SECRET_ACCOUNT.replace("SECRET", secret), environ={"P": secret})
        for secret in ("first-secret", "another")
    )
    assert first == second
    assert first != digest(SECRETS.replace("vault", "other"), SECRET_ACCOUNT)


def test_the_variables_of_an_address_count() -> None:
    whole = WHOLE + 'references: [{url: "https://v.example/x?token=${TOKEN}"}]\n'
    environ = {**ENVIRON, "TOKEN": "a", "TOKEN2": "b"}
    assert digest(whole, environ=environ) != digest(whole.replace("TOKEN", "TOKEN2"), environ=environ)


def test_the_secrets_of_channels_are_none_of_it() -> None:
    channels = [{"hook": "one"}], [{"hook": "two"}]
    first, second = (digest_of({"channels": each}, secrets=("hook",)) for each in channels)
    assert first == second
    assert digest_of({"channels": channels[0]}) != digest_of({"channels": channels[1]})


def test_a_cell_of_a_table_that_is_a_secret_is_none_of_it() -> None:
    whole = WHOLE.replace("accounts.yaml", "accounts.csv") + (
        '  template: {name: "{n}", appkey: "{k}", username: "{u}", password: "{p}"}\n'
    )
    first, second, other = (
        accounts_of(whole, accounts_csv=f"n,k,u,p\nweb,{row}\n").digest_of("web") for row in ("a,b,c", "x,b,y", "a,x,c")
    )
    assert first == second != other


def test_it_is_of_the_files_as_they_were_read() -> None:
    accounts = accounts_of(accounts_yaml=TWO)
    Path("accounts.yaml").write_text(TWO.replace("kim", "lee"))
    changed = load_accounts(Path("janitor.yaml"), ENVIRON, lambda: SCHEMAS)
    assert accounts.digest_of("web") != changed.digest_of("web")
