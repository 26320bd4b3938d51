"""Accounts in a CSV file: each row is filled into the template, and what it says is only data."""

from pathlib import Path

import pytest

from janitor.cloud.toast.target import ToastTarget
from janitor.config.fleet.accounts import Accounts
from tests.config.fleet.fleets import ENVIRON, WHOLE, accounts_of, problems_of_account, problems_of_accounts

pytestmark = pytest.mark.usefixtures("empty_folder")

TABLE = """\
account, user ,secret,team
web,kim,pw-web,web

data,"lee, jr.","line
break",data
"""
TEMPLATE = WHOLE.replace("accounts.yaml", "accounts.csv").replace(
    "  state:",
    """\
  template:
    name: "{account}"
    appkey: appkey-{account}
    username: "{user}"
    password: ${PASSWORD}
    channel: "#{team}"
    http: {timeout: 5s, no_proxy: ["{account}.example"]}
  state:""",
)


def target_of(accounts: Accounts, name: str) -> ToastTarget:
    [target] = accounts.settings_of(name).targets
    assert isinstance(target, ToastTarget)
    return target


def with_template(template: str) -> str:
    return WHOLE.replace("accounts.yaml", "accounts.csv") + f"  template: {template}\n"


def test_each_row_is_an_account() -> None:
    accounts = accounts_of(TEMPLATE, accounts_csv=TABLE)
    assert accounts.names == ("web", "data")
    target = target_of(accounts, "data")
    assert (target.appkey, target.username, target.password) == ("appkey-data", "lee, jr.", "the-password")
    assert target.http.route.no_proxy.text == "data.example"
    assert (slack := accounts.settings_of("data").slack)
    assert slack.channel == "#data"


def test_a_table_of_excel_is_read() -> None:
    accounts = accounts_of(TEMPLATE, accounts_csv="\ufeff" + TABLE.replace("\n", "\r\n"))
    assert accounts.names == ("web", "data")


def test_a_variable_may_be_of_the_account() -> None:
    whole = with_template('{name: "{a}", appkey: k, username: "$${x}", password: "${PASSWORD_{a}:-${PASSWORD}}"}')
    accounts = accounts_of(whole, {**ENVIRON, "PASSWORD_web": "its-own"}, accounts_csv="a,x\nweb,1\nlab,2\n")
    assert target_of(accounts, "web").password == "its-own"
    assert target_of(accounts, "lab").password == "the-password"
    assert target_of(accounts, "web").username == "${x}"


def test_a_file_of_secrets_may_be_of_the_account() -> None:
    whole = with_template('{name: "{a}", appkey: k, username: u, password_file: "secrets/{a}"}')
    Path("secrets").mkdir()
    Path("secrets/web").write_text("from-a-file\n")
    assert target_of(accounts_of(whole, accounts_csv="a\nweb\n"), "web").password == "from-a-file"


@pytest.mark.parametrize(
    ("template", "cells", "username"),
    [
        pytest.param("{a}", "${PASSWORD}", "${PASSWORD}", id="a-reference"),
        pytest.param("{a}", "${PASSWORD", "${PASSWORD", id="half-a-reference"),
        pytest.param("{a}", "$${PASSWORD}", "$${PASSWORD}", id="an-escaped-one"),
        pytest.param("{a}{b}", "$,{PASSWORD}", "${PASSWORD}", id="of-two-cells"),
        pytest.param("{a}x", "{b}", "{b}x", id="another-column"),
        pytest.param("${PASSWORD}{a}", "-1", "the-password-1", id="beside-one-of-the-template"),
    ],
)
def test_what_a_row_says_is_never_replaced(template: str, cells: str, username: str) -> None:
    whole = with_template(f'{{name: "{{n}}", appkey: k, password: p, username: "{template}"}}')
    row = f"web,{cells}" + ",unused" * (1 - cells.count(","))
    assert target_of(accounts_of(whole, accounts_csv=f"n,a,b\n{row}\n"), "web").username == username


def test_the_problems_of_an_account_are_told_at_its_row() -> None:
    accounts = accounts_of(TEMPLATE.replace("${PASSWORD}", '"{secret}"'), accounts_csv=TABLE)
    assert problems_of_account(accounts, "data") == [
        "accounts.csv:4: data: password: holds a line break or another control character"
    ]
    accounts = accounts_of(TEMPLATE.replace("username", "user"), accounts_csv=TABLE)
    assert problems_of_account(accounts, "web")[0] == "accounts.csv:2: web: username: is missing"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        pytest.param("", ":1: is empty: its first row must name the columns", id="empty"),
        pytest.param("account,user,secret,team\n", ": holds no accounts", id="no-rows"),
        pytest.param(
            "account,user,secret,team\n\na,b,c\n", ":3: has 3 values, but the first row names 4 columns", id="too-few"
        ),
        pytest.param("account,user,secret,team\n,b,c,d\n", ":2: name: is empty: give every account", id="no-name"),
        pytest.param("account,user,secret,team,team\na,b,c,d,e\n", ":1: names a column twice", id="twice"),
        pytest.param("account,user,secret,team,\na,b,c,d,e\n", ":1: names a column that has no name", id="nameless"),
        pytest.param('account,user,secret,team\na,b,"c" d,e\n', ":2: is not CSV: ", id="quotes"),
        pytest.param("account,user,secret,team\na,b,\0,e\n", ":2: holds a null character", id="null"),
        pytest.param(
            "account,user,secret,team\na,b,c,d\nA,b,c,d\n",
            ":3: name: is already the name of the account at accounts.csv:2",
            id="one-name-twice",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_line(table: str, problem: str) -> None:
    [told] = problems_of_accounts(TEMPLATE, accounts_csv=table)
    assert told.startswith(f"accounts.csv{problem}")


def test_a_table_that_is_no_text_is_told() -> None:
    Path("accounts.csv").write_bytes(b"account\nweb\n\xff\n")
    assert problems_of_accounts(TEMPLATE) == ["accounts.csv:3: is not UTF-8 text"]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        pytest.param('{name: "{n}", x: {y: ["{acount}"]}}', '.x.y[0]: names the column "acount", which', id="unknown"),
        pytest.param("{cloud: lab}", ": has no name: give every account one of a column", id="no-name"),
        pytest.param("", ": is missing: fleet.targets is a CSV file, of whose rows it makes accounts", id="none"),
        pytest.param("text", ": is text: write keys and values, like key: value", id="no-keys"),
    ],
)
def test_what_is_wrong_with_a_template_is_told_in_the_configuration(template: str, problem: str) -> None:
    [told] = problems_of_accounts(with_template(template), accounts_csv="n,account\na,b\n")
    assert told.startswith(f"janitor.yaml:8: fleet.template{problem}")


def test_a_table_needs_a_template() -> None:
    [told] = problems_of_accounts(WHOLE.replace("accounts.yaml", "accounts.CSV"), accounts_CSV="a\nb\n")
    assert told.startswith("janitor.yaml:4: fleet.template: is missing: fleet.targets is a CSV file")


def test_a_template_is_for_a_table_only() -> None:
    [told] = problems_of_accounts(WHOLE + '  template: {name: "{a}"}\n', accounts_yaml="- {name: a}")
    assert told.startswith("janitor.yaml:8: fleet.template: is for a CSV file, and fleet.targets is none")
