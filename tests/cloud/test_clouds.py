"""clouds.yaml and the OS_* variables: found and read as other OpenStack tools do."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from janitor.cli.logs import configure_logging
from janitor.cloud.openstack.clouds import configured
from janitor.cloud.openstack.keystone import Grant, Identity
from janitor.cloud.openstack.service_types import Service
from janitor.config import accounts, load_settings
from janitor.errors import CloudError, Denied
from tests.cloud.clouds_yaml import AUTH, at, cloud
from tests.identity_stand_in import PASSWORD, PROJECT, USERNAME, Catalogue, Keystone, address, grant, refusal, serving
from tests.loopback import Answered, Loopback, in_turn

pytestmark = pytest.mark.usefixtures("alone")


def signed_in(keystone: Keystone, keys: Mapping[str, Any] | None = None, **auth: Any) -> tuple[Identity, Grant]:
    """What a cloud of clouds.yaml gives whose identity service is this one."""
    with serving(keystone) as server:
        cloud(auth=at(server.url, **auth), **(keys or {}))
        identity = configured("devstack", None)
        return identity, grant(identity)


# Signing in


def test_identity_v3_is_discovered_and_signed_in_to() -> None:
    with serving(Keystone()) as server:
        cloud(auth=at(server.url), region_name="KR1")
        identity = configured("devstack", None)
        assert server.asked == [], "nothing is sent yet"
        given = grant(identity)
    assert [f"{asked.method} {asked.path}" for asked in server.asked] == ["GET /", "POST /v3/auth/tokens"]
    assert (identity.region, identity.secrets) == ("KR1", (PASSWORD,))
    assert (given.token, given.project) == ("t0ken-1", PROJECT)
    assert [place.url for place in given.catalogue.image_places()] == [address("image", "KR1")]


def test_identity_v2_is_signed_in_to_as_well() -> None:
    with serving(Keystone()) as server:
        auth = {"auth_url": f"{server.url}/v2.0", "username": USERNAME, "password": PASSWORD, "tenant_id": PROJECT}
        cloud(auth=auth, auth_type="v2password")
        assert grant(configured("devstack", None)).project == PROJECT


@pytest.mark.parametrize("key", ["project_id", "tenant_id"])
def test_a_token_of_another_project_than_configured_is_none(key: str) -> None:
    auth = {name: value for name, value in AUTH.items() if name not in {"project_id", "project_name"}}
    with serving(Keystone(project="f" * 32)) as server:
        cloud(auth={**auth, "auth_url": server.url, key: PROJECT})
        with pytest.raises(CloudError, match=f"another project, {'f' * 32}, than configured, {PROJECT}"):
            grant(configured("devstack", None))


def test_a_token_of_the_variables_is_for_their_project_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Keystone(project="f" * 32)) as server:
        for name, value in at(server.url, project_id=PROJECT).items():
            monkeypatch.setenv(f"OS_{name.upper()}", value)
        with pytest.raises(CloudError, match="the token is for another project"):
            grant(configured(None, None))


def test_a_configured_project_may_be_written_in_another_way() -> None:
    _, given = signed_in(Keystone(), project_id=str(UUID(PROJECT)).upper())
    assert given.project == PROJECT


def test_an_application_credential_needs_no_project() -> None:
    with serving(Keystone()) as server:
        auth = {
            "auth_url": f"{server.url}/v3",
            "application_credential_id": "c",
            "application_credential_secret": PASSWORD,
        }
        cloud(auth=auth, auth_type="v3applicationcredential")
        identity = configured("devstack", None)
        assert (grant(identity).project, identity.secrets) == (PROJECT, (PASSWORD,))


def test_an_expired_application_credential_is_denied() -> None:
    words = "The request you have made requires authentication."
    keystone = Keystone(scripted=[refusal(401, words)])
    with serving(keystone) as server:
        auth = {
            "auth_url": f"{server.url}/v3",
            "application_credential_id": "c",
            "application_credential_secret": "old-secret",
        }
        cloud(auth=auth, auth_type="v3applicationcredential")
        with pytest.raises(Denied, match=f'HTTP 401 "{words}": the credentials are not accepted'):
            grant(configured("devstack", None))


def test_the_variables_of_openstack_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Keystone()) as server:
        for name, value in at(server.url).items():
            monkeypatch.setenv(f"OS_{name.upper()}", value)
        monkeypatch.setenv("OS_REGION_NAME", "KR1")
        identity = configured(None, None)
        assert (identity.region, grant(identity).project) == ("KR1", PROJECT)


def test_a_variable_names_the_cloud_and_another_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud("mine", at("http://there.example"))
    Path("clouds.yaml").rename("elsewhere.yaml")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "elsewhere.yaml")
    monkeypatch.setenv("OS_CLOUD", "mine")
    assert configured(None, None).label == "sign-in at there.example"


def test_secrets_stand_in_a_file_of_their_own() -> None:
    cloud(auth={name: value for name, value in at("http://x").items() if name != "password"})
    Path("secure.yaml").write_text(yaml.safe_dump({"clouds": {"devstack": {"auth": {"password": "from-secure"}}}}))
    assert configured("devstack", None).secrets == ("from-secure",)


def test_a_profile_says_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    Path("clouds-public.yaml").write_text("public-clouds: {ours: {auth: {auth_url: http://ours.example}}}")
    cloud(profile="ours")
    assert configured("devstack", None).label == "sign-in at ours.example"
    assert caplog.text == ""


def test_what_the_library_warns_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    cloud(auth=at("http://x"), profile="nowhere")
    configured("devstack", None)
    assert "openstack-configuration: Couldn't find the vendor profile nowhere" in caplog.text


@pytest.mark.parametrize(("wanted", "region"), [(None, "KR1"), ("KR2", "KR2")])
def test_the_region_is_the_wanted_one_or_the_first(wanted: str | None, region: str) -> None:
    cloud(auth=at("http://x"), regions=["KR1", {"name": "KR2", "values": {"interface": "internal"}}])
    identity = configured("devstack", wanted)
    assert identity.region == region
    assert identity.preferences[Service.IMAGE].interfaces == ("internal" if wanted else "public",)


# Where services are


SEVERAL: Catalogue = {
    "image": {"KR1": ["admin", "internal", "public"], "KR2": ["public"]},
    "volumev3": {"KR1": ["public"]},
    "block-storage": {"KR1": ["internal"]},
}


@pytest.mark.parametrize("version", ["v2.0", "v3"])
@pytest.mark.parametrize(
    ("keys", "urls"),
    [
        pytest.param({}, [address("image", "KR1"), address("image", "KR2")], id="public"),
        pytest.param({"interface": "internal"}, [address("image", "KR1", "internal")], id="internal"),
        pytest.param({"endpoint_type": "internalURL"}, [address("image", "KR1", "internal")], id="of-old"),
        pytest.param(
            {"interface": ["internal", "public"]},
            [address("image", "KR1", "internal"), address("image", "KR2")],
            id="the-best-of-each-region",
        ),
        pytest.param(
            {"interface": "public", "image_interface": "admin"},
            [address("image", "KR1", "admin")],
            id="for-images-only",
        ),
        pytest.param(
            {"image_endpoint_override": "https://here.example/%(project_id)s/"},
            [f"https://here.example/{PROJECT}"],
            id="overridden",
        ),
    ],
)
def test_the_interface_and_url_of_clouds_yaml_are_heeded(version: str, keys: dict[str, Any], urls: list[str]) -> None:
    with serving(Keystone(SEVERAL)) as server:
        if version == "v3":
            cloud(auth=at(f"{server.url}/v3"), **keys)
        else:
            auth = {"auth_url": f"{server.url}/v2.0", "username": USERNAME, "password": PASSWORD, "tenant_id": PROJECT}
            cloud(auth=auth, auth_type="v2password", **keys)
        given = grant(configured("devstack", None))
    assert [place.url for place in given.catalogue.image_places()] == urls


def test_an_overridden_image_service_stands_in_no_region() -> None:
    _, given = signed_in(Keystone(SEVERAL), {"image_endpoint_override": "https://here.example"})
    [place] = given.catalogue.image_places()
    assert (given.catalogue.image_regions, place.url, place.everywhere) == ((), "https://here.example", True)


# A profile of the web


def test_a_profile_of_the_web_is_fetched_by_our_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"name": "web", "profile": {"region_name": "RegionOfTheWeb", "auth": {"auth_url": "http://x"}}}
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Loopback(in_turn(Answered(said))) as server:
        cloud(auth=AUTH, profile=server.url)
        assert configured("devstack", None).region == "RegionOfTheWeb"
    assert server.paths() == ["GET /.well-known/openstack/api"]
    assert server.asked[0].headers["user-agent"].startswith("image-janitor/")


def test_a_profile_of_the_web_is_not_fetched_from_elsewhere() -> None:
    with Loopback(in_turn(Answered({}, 302, {"Location": "/elsewhere"}))) as server:
        cloud(auth=AUTH, profile=server.url)
        with pytest.raises(CloudError, match="HTTP 302, a redirect, which is not followed"):
            configured("devstack", None)
    assert len(server.asked) == 1


def test_a_profile_of_the_web_is_bounded() -> None:
    with Loopback(in_turn(Answered(b" " * (2**20 + 1)))) as server:
        cloud(auth=AUTH, profile=server.url)
        with pytest.raises(CloudError, match="larger than 1 MiB"):
            configured("devstack", None)


def test_a_profile_of_the_web_that_cannot_be_fetched_is_the_clouds_failure() -> None:
    with serving(Keystone()) as server:
        cloud(auth=AUTH, profile=server.url)
    with pytest.raises(CloudError, match=r"^clouds\.yaml:2: clouds\.devstack: its profile cannot be fetched: "):
        configured("devstack", None)


# Secrets


def test_what_clouds_yaml_keeps_secret_the_log_does_too(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    cloud(auth=at("http://127.0.0.1:1", password="hunter2"))
    Path("janitor.yaml").write_text("targets: [{name: prod, api: openstack, cloud: devstack}]")
    settings = load_settings(Path("janitor.yaml"), {})
    try:
        configure_logging(0, settings.secrets)
        accounts.identify(settings, settings.targets)
        logging.getLogger("any").warning("it is %s", "hunter2")
    finally:
        logging.getLogger().handlers[:] = before
        logging.getLogger("janitor").setLevel(logging.NOTSET)
    assert capsys.readouterr().err.endswith("any it is ***\n")
