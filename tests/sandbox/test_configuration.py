"""The configuration that names a sandbox, and the options that it takes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml

from janitor.errors import UsageError
from janitor.sandbox.flags import FLAGS, options_from
from janitor.sandbox.options import Booleans, MarkerReading, Options
from janitor.sandbox.server import running


def test_the_configuration_names_the_sandbox() -> None:
    with running(Options(images=1, password='a "quoted" 한글 # pass')) as sandbox:
        text = sandbox.configuration(policies="/some where/policies", database="x.db", mode="delete")
    configuration = yaml.safe_load(text)
    assert configuration == {
        "mode": "delete",
        "database": "x.db",
        "policies": "/some where/policies",
        "timezone": "UTC",
        "targets": [
            {
                "name": "sandbox",
                "api": "toast",
                "endpoint": sandbox.url,
                "appkey": sandbox.options.appkey,
                "username": sandbox.options.username,
                "password": 'a "quoted" 한글 # pass',
            }
        ],
    }


def test_the_configuration_shows_how_references_are_declared() -> None:
    with running(Options(images=1, reference_token="a-token")) as sandbox:
        lines = sandbox.configuration().partition("# references:")[2].splitlines()[1:3]
        [declared] = yaml.safe_load("\n".join(line.removeprefix("#") for line in lines))
        answer = httpx.get(declared["url"], headers={"Authorization": f"Bearer {declared['token']}"}, trust_env=False)
    assert answer.status_code == 200
    assert answer.json().keys() == {"launch_templates"}


def test_flags_without_a_value_are_the_defaults() -> None:
    assert options_from({flag.field: None for flag in FLAGS}) == Options()
    assert options_from({flag.field: flag.default for flag in FLAGS}) == Options()


def test_flags_become_options() -> None:
    given = {"latency": 250, "token_lifetime": "10s", "marker": "inclusive", "booleans": "string", "port": 0}
    assert options_from(given) == replace(
        Options(),
        latency=timedelta(milliseconds=250),
        token_lifetime=timedelta(seconds=10),
        marker=MarkerReading.INCLUSIVE,
        booleans=Booleans.STRING,
        port=0,
    )


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.choices], ids=lambda flag: flag.name)
def test_every_choice_of_a_flag_can_be_taken(flag: Any) -> None:
    api = {} if flag.field == "api" or flag.help.startswith("v1.0") else {"api": "openstack"}
    taken = [options_from({**api, flag.field: choice}) for choice in flag.choices]
    assert [getattr(options, flag.field) for options in taken] == list(flag.choices)


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70000},
        {"port": -1},
        {"images": -1},
        {"images": 10**9},
        {"page_cap": 0},
        {"latency": -1},
        {"token_lifetime": "an hour"},
        {"token_lifetime": "0s"},
        {"token_lifetime": "999999w"},
        {"marker": "both"},
        {"appkey": "a/b"},
        {"username": ""},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_usage_errors(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"^sandbox: "):
        options_from(wrong)
