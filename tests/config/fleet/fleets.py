"""Configurations of fleets that several tests read."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from janitor.config.fleet.accounts import Accounts, load_accounts
from janitor.errors import ConfigurationError
from janitor.notify.channels import SCHEMAS

ENVIRON = {"FLEET_URL": "postgresql://janitor:the-pw@db.example/janitor", "PASSWORD": "the-password"}
WHOLE = """\
timezone: Asia/Seoul
slack: {token: xoxb-token, channel: "#main"}
limits: {max_deletions: 7}
fleet:
  database: ${FLEET_URL}
  state: shards
  targets: accounts.yaml
"""
TWO = """\
- name: web
  appkey: appkey-web
  username: kim
  password: ${PASSWORD}
# the next one
- {name: data, api: openstack, cloud: lab, region: KR1, channel: "#data"}
"""
POLICIES = "policies: [{name: all, match: {name: '*'}}]\n"


def write_fleet(whole: str = WHOLE, **files: str) -> Path:
    """Writes a configuration into the current folder, with files; `accounts_csv` is accounts.csv."""
    Path("policies").mkdir(exist_ok=True)
    Path("policies/all.yaml").write_text(POLICIES, encoding="utf-8")
    Path("janitor.yaml").write_text(whole, encoding="utf-8")
    for name, content in files.items():
        Path(name.replace("_", ".")).write_text(dedent(content), encoding="utf-8")
    return Path("janitor.yaml")


def accounts_of(whole: str = WHOLE, environ: Mapping[str, str] = ENVIRON, **files: str) -> Accounts:
    """The accounts of a configuration that is written so."""
    return load_accounts(write_fleet(whole, **files), environ, lambda: SCHEMAS)


def problems_of_accounts(whole: str = WHOLE, **files: str) -> list[str]:
    """What is wrong with the configuration of a fleet, or with the list of its accounts."""
    with pytest.raises(ConfigurationError) as caught:
        accounts_of(whole, ENVIRON, **files)
    return [str(problem) for problem in caught.value.problems]


def problems_of_account(accounts: Accounts, name: str) -> list[str]:
    """What is wrong with one account."""
    with pytest.raises(ConfigurationError) as caught:
        accounts.settings_of(name)
    return [str(problem) for problem in caught.value.problems]
