"""Compute says in which microversion it answers, and refuses those that it does not offer."""

import pytest

from tests.sandbox.openstack.client import Client, ask, client_of
from tests.sandbox.openstack.paths import SERVERS


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        pytest.param({}, "2.1", id="none"),
        pytest.param({"OpenStack-API-Version": "compute 2.69"}, "2.69", id="asked"),
        pytest.param({"OpenStack-API-Version": "compute latest"}, "2.96", id="latest"),
        pytest.param({"OpenStack-API-Version": "volume 3.0, compute 2.42"}, "2.42", id="of-several"),
        pytest.param({"OpenStack-API-Version": "volume 3.0"}, "2.1", id="of-another"),
        pytest.param({"X-OpenStack-Nova-API-Version": "2.7"}, "2.7", id="older-header"),
    ],
)
def test_an_answer_says_in_which_microversion_it_is(client: Client, headers: dict[str, str], told: str) -> None:
    response = ask(client, SERVERS, **headers)
    assert response.status_code == 200
    assert response.headers["openstack-api-version"] == f"compute {told}"
    assert response.headers["x-openstack-nova-api-version"] == told
    assert response.headers["vary"] == "OpenStack-API-Version, X-OpenStack-Nova-API-Version"


@pytest.mark.parametrize(
    ("version", "status", "message"),
    [
        ("2.97", 406, "Version 2.97 is not supported by the API. Minimum is 2.1 and maximum is 2.96."),
        ("2.0", 406, "Version 2.0 is not supported by the API."),
        ("3.1", 406, "Version 3.1 is not supported by the API."),
        ("2", 400, "API Version String 2 is of invalid format."),
        ("2.069", 400, "API Version String 2.069 is of invalid format."),
        ("new", 400, "API Version String new is of invalid format."),
    ],
)
def test_a_microversion_that_is_not_offered_is_refused(client: Client, version: str, status: int, message: str) -> None:
    for name, prefix in (("OpenStack-API-Version", "compute "), ("X-OpenStack-Nova-API-Version", "")):
        response = ask(client, SERVERS, **{name: prefix + version})
        [error] = response.json().values()
        assert (response.status_code, error["code"]) == (status, status)
        assert message in error["message"]


def test_the_newest_microversion_can_be_an_older_one() -> None:
    with client_of(compute_microversion="2.60") as client:
        assert ask(client, SERVERS, **{"OpenStack-API-Version": "compute 2.60"}).status_code == 200
        assert ask(client, SERVERS, **{"OpenStack-API-Version": "compute 2.69"}).status_code == 406
        [version] = ask(client, "/compute").json()["versions"]
        assert (version["min_version"], version["version"]) == ("2.1", "2.60")


def test_a_cloud_without_microversions_looks_at_no_header_and_sends_none() -> None:
    with client_of(compute_microversion="none") as client:
        response = ask(client, SERVERS, **{"OpenStack-API-Version": "compute 2.69"})
        assert response.status_code == 200
        assert not response.headers.keys() & {"openstack-api-version", "x-openstack-nova-api-version"}
        [version] = ask(client, "/compute").json()["versions"]
        assert (version["min_version"], version["version"]) == ("", "")
