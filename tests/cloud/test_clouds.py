"""clouds.yaml and the OS_* variables: found and read as other OpenStack tools do, and what is told of mistakes."""

import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from openstack.config import loader

from janitor.cli.logs import configure_logging
from janitor.cloud.api import Surroundings
from janitor.cloud.openstack.accounts import OpenStackAccount
from janitor.cloud.openstack.clouds import configured
from janitor.cloud.openstack.keystone import Grant, Identity
from janitor.cloud.openstack.service_types import Service
from janitor.config import accounts, load_settings
from janitor.errors import CloudError, Denied, UsageError
from janitor.transport import Transient
from tests.identity_stand_in import PASSWORD, PROJECT, USERNAME, Catalogue, Keystone, address, grant, refusal, serving
from tests.loopback import Answered, Loopback, in_turn

AUTH = {
    "username": USERNAME,
    "password": PASSWORD,
    "project_name": "demo",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own clouds gets in: files are looked for in the test's folder only."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    for name, file in (("CONFIG_FILES", "clouds"), ("SECURE_FILES", "secure"), ("VENDOR_FILES", "clouds-public")):
        monkeypatch.setattr(loader, name, [str(tmp_path / f"{file}.yaml")])


def cloud(name: str = "devstack", auth: Mapping[str, Any] | None = None, **keys: Any) -> None:
    """Write a clouds.yaml with one cloud."""
    Path("clouds.yaml").write_text(yaml.safe_dump({"clouds": {name: {"auth": dict(auth or AUTH), **keys}}}))


def at(url: str, **more: Any) -> dict[str, Any]:
    return {**AUTH, "auth_url": url, **more}


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


# TLS


@pytest.mark.parametrize(
    ("keys", "verify"),
    [
        pytest.param({}, True, id="checked"),
        pytest.param({"verify": False}, False, id="unchecked"),
        pytest.param({"insecure": "true"}, False, id="insecure"),
    ],
)
def test_servers_are_checked_unless_told_otherwise(keys: dict[str, Any], verify: bool) -> None:
    cloud(auth=at("https://x"), **keys)
    assert configured("devstack", None).verify is verify


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ours")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = Encoding.PEM
    path = tmp_path_factory.mktemp("tls") / "ours.pem"
    private = key.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(pem) + private)
    return path


@contextmanager
def secure(certificate: Path, *, of_clients: bool = False) -> Iterator[str]:
    """The URL of an identity service over TLS, which may ask its clients for that certificate, too."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    if of_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    keystone = Keystone()
    server = Loopback(keystone.answer, context)
    with server:
        keystone.url = server.url
        yield server.url


@pytest.mark.parametrize(
    ("keys", "of_clients"),
    [
        pytest.param({"cacert": "ours.pem"}, False, id="an-authority-of-ones-own"),
        pytest.param({"cacert": "ours.pem", "cert": "ours.pem"}, True, id="a-certificate-of-ones-own"),
        pytest.param({"cacert": "ours.pem", "cert": "ours.pem", "key": "ours.pem"}, True, id="with-its-key-apart"),
        pytest.param({"verify": False}, False, id="unchecked"),
        pytest.param({"verify": False, "cert": "ours.pem"}, True, id="unchecked-with-a-certificate"),
    ],
)
def test_tls_is_as_clouds_yaml_says(certificate: Path, keys: dict[str, Any], of_clients: bool) -> None:
    Path("ours.pem").write_bytes(certificate.read_bytes())
    with secure(certificate, of_clients=of_clients) as url:
        cloud(auth=at(url), **keys)
        assert grant(configured("devstack", None)).token == "t0ken-1"


@pytest.mark.parametrize(("keys", "of_clients"), [({}, False), ({"cacert": "ours.pem"}, True)])
def test_who_is_not_trusted_is_not_talked_to(certificate: Path, keys: dict[str, Any], of_clients: bool) -> None:
    Path("ours.pem").write_bytes(certificate.read_bytes())
    with secure(certificate, of_clients=of_clients) as url:
        cloud(auth=at(url), **keys)
        with pytest.raises(Transient):
            grant(configured("devstack", None))


def test_a_target_is_signed_in_to_by_its_clouds_tls_for_all_regions(certificate: Path) -> None:
    with secure(certificate) as url:
        cloud(auth=at(url), cacert=str(certificate), regions=["RegionOne", "RegionTwo"])
        Path("janitor.yaml").write_text('targets: [{name: prod, api: openstack, cloud: devstack, region: "*"}]')
        settings = load_settings(Path("janitor.yaml"), {})
        account = accounts.signed_in(settings, settings.targets, Surroundings())["prod"]
    assert isinstance(account, OpenStackAccount)
    assert account.grant.catalogue.image_regions == ("KR1",)


def test_an_encrypted_key_is_a_mistake_and_not_asked_about(certificate: Path) -> None:
    key = load_pem_private_key(certificate.read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    Path("key.pem").write_bytes(encrypted)
    cloud(auth=at("https://x"), cert=str(certificate), key="key.pem")
    with pytest.raises(UsageError, match=r"the certificates in .* cannot be used: "):
        configured("devstack", None)


# Mistakes

NO_PASSWORD = {name: value for name, value in AUTH.items() if name != "password"}
WITH_URL = "{auth_url: 'https://x', username: x, password: hunter2}"
AUTH_KEY = "clouds:\n  devstack:\n    auth:\n"
MISTAKES = [
    pytest.param(
        "clouds: {prod: {}, test: {}}", 'no cloud named "devstack" in *clouds.yaml; there is prod, test', id="other"
    ),
    pytest.param("clouds: {}", 'no cloud named "devstack" in *clouds.yaml; it has none', id="none"),
    pytest.param(
        None, 'no cloud named "devstack": there is no clouds.yaml (looked for in the current directory, *', id="no-file"
    ),
    pytest.param("clouds:\n devstack:\n  password: 'hunter2\n", "clouds.yaml:4: is not YAML: found *", id="no-yaml"),
    pytest.param(
        "clouds: {devstack: {password: *hunter2}}",
        "clouds.yaml:1: is not YAML: a text that begins with * must be in quotes",
        id="no-alias",
    ),
    pytest.param(
        "- hunter2", "clouds.yaml:1: is a list: write keys and values, *, with clouds: at the top", id="a-list"
    ),
    pytest.param(
        "x: {}\ncluods: {devstack: {}}",
        "clouds.yaml:2: cluods: no clouds can be read from it: the key clouds is missing (is this it?)",
        id="no-clouds",
    ),
    pytest.param("clouds: [devstack]", "clouds.yaml:1: clouds: is a list: write keys and values, *", id="listed"),
    pytest.param("clouds:\n", "clouds.yaml:1: clouds: is empty: write keys and values, *", id="empty-clouds"),
    pytest.param(
        "x: &a [*a]\nclouds: {devstack: {}}", "clouds.yaml: holds more than 100000 values, or an alias *", id="itself"
    ),
    pytest.param(
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))
        + "clouds: {devstack: *a9}",
        "clouds.yaml: holds more than 100000 values, or an alias *",
        id="without-end",
    ),
    pytest.param("client: [a]\nclouds: {}", "clouds.yaml:1: client: is a list: write keys and values, *", id="client"),
    pytest.param(
        "clouds:\n  devstack: hunter2", "clouds.yaml:2: clouds.devstack: is text: write keys and values, *", id="text"
    ),
    pytest.param(
        "clouds:\n  devstack:\n", "clouds.yaml:2: clouds.devstack: is empty: *, beginning with auth:", id="empty"
    ),
    pytest.param(AUTH_KEY, "clouds.yaml:3: clouds.devstack.auth: is empty: write auth_url, *", id="empty-auth"),
    pytest.param(
        f"{AUTH_KEY}      - auth_url: http://x\n",
        "clouds.yaml:3: clouds.devstack.auth: is a list: write auth_url, *",
        id="listed-auth",
    ),
    pytest.param(
        f"{AUTH_KEY}      password: {{hunter2: x}}\n",
        "clouds.yaml:4: clouds.devstack.auth.password: holds keys and values: write text, in quotes",
        id="a-mapping-for-a-password",
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: 5\n",
        "clouds.yaml:4: clouds.devstack.auth.auth_url: is a number: write text, in quotes",
        id="a-number-for-a-url",
    ),
    pytest.param(
        f"{AUTH_KEY}      password: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6231\n",
        "clouds.yaml:4: holds !vault: what Ansible encrypted must be decrypted first",
        id="vault",
    ),
    pytest.param(
        AUTH_KEY + "      password: {{ hunter2 }}\n",
        "clouds.yaml:4: clouds.devstack.auth.password: holds {{ … }}, a template that is not filled in here: write *",
        id="jinja",
    ),
    pytest.param(
        AUTH_KEY + "      password: '{{ hunter2 }}'\n",
        "clouds.yaml:4: clouds.devstack.auth.password: is a template, like {{ … }}, which is not filled in here: *",
        id="jinja-in-quotes",
    ),
    pytest.param(
        "{% if hunter2 %}\nclouds: {}\n",
        "clouds.yaml:1: is not YAML: *{% … %} is not filled in here",
        id="jinja-statement",
    ),
    pytest.param(
        "clouds:\n\tdevstack: {}\n", "clouds.yaml:2: is not YAML: it has a tab where only spaces are allowed", id="tabs"
    ),
    pytest.param(
        "clouds:\n  devstack: {}\n  devstack: {}\n",
        "clouds.yaml:3: clouds.devstack: is given twice, first in line 2",
        id="twice",
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: http://x\n      auth_url: http://y\n",
        "clouds.yaml:5: clouds.devstack.auth.auth_url: is given twice, first in line 4",
        id="a-key-twice",
    ),
    pytest.param(
        f"{AUTH_KEY}      username: x\n      password: hunter2\n",
        "clouds.yaml:3: clouds.devstack.auth: auth_url is missing or empty, and auth_type password needs it",
        id="no-url",
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: x:5000/v3\n      username: x\n      password: hunter2",
        "clouds.yaml:4: clouds.devstack.auth.auth_url: is not a URL like https://host/path: write it with https://*",
        id="no-scheme",
    ),
    pytest.param(
        f"clouds:\n  devstack:\n    image_endpoint_override: x.example/v2\n    auth: {WITH_URL}",
        "clouds.yaml:3: clouds.devstack.image_endpoint_override: is not a URL like https://host/path: *",
        id="no-scheme-of-an-override",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: v3totp\n    auth: {auth_url: http://x, username: x, user_domain_id: d}",
        "clouds.yaml:4: clouds.devstack.auth: passcode is missing or empty, and auth_type v3totp needs it (*",
        id="no-passcode",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth: {auth_url: http://x, username: x, password: }",
        "clouds.yaml:3: clouds.devstack.auth: password is missing or empty, and auth_type password needs it",
        id="no-password",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: v3pasword\n    auth: {}",
        'clouds.yaml:3: *: "v3pasword" is not an auth_type known here, did you mean "v3password"?',
        id="no-plugin",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: [v3password]\n",
        "clouds.yaml:3: clouds.devstack.auth_type: is a list: write text, or leave the key out",
        id="a-list-of-plugins",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: none\n    auth: {endpoint: http://x}",
        "clouds.yaml:3: clouds.devstack.auth_type: auth_type none gives no token with a service catalogue *",
        id="no-sign-in",
    ),
    *(
        pytest.param(
            f"clouds:\n  devstack:\n    auth_type: {kind}\n    auth: {WITH_URL}",
            f"clouds.yaml:3: clouds.devstack.auth_type: auth_type {kind} gives no token with a service catalogue for *",
            id=f"no-token-of-{kind}",
        )
        for kind in ("none", "admin_token", "http_basic")
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: http://x\n      usernaem: x\n      username: x\n      password: hunter2\n",
        "clouds.yaml:5: clouds.devstack.auth.usernaem: usernaem is not a key that auth_type password knows, did *",
        id="a-misspelt-key",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    interface: xyz\n",
        "clouds.yaml:3: clouds.devstack.interface: is not one of public, internal, admin",
        id="interface",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    interface: [5]\n",
        "clouds.yaml:3: clouds.devstack.interface: is not one of public, internal, admin",
        id="interfaces",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    regions:\n      - name:\n",
        "clouds.yaml:4: clouds.devstack.regions[0]: is empty: write the name of a region",
        id="a-region-without-a-name",
    ),
    pytest.param(
        f"clouds: {{devstack: {{regions: [KR1], auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: Region KR9 is not a valid region name for cloud devstack. "
        "Valid choices are KR1. *",
        id="no-region",
    ),
    pytest.param(
        "clouds: {devstack: {regions: KR1}}",
        "clouds.yaml:1: clouds.devstack.regions: is text: write a list, like [KR1, KR2]",
        id="text-for-regions",
    ),
    pytest.param(
        "clouds: {devstack: {regions: [{nam: KR1, password: hunter2}]}}",
        """clouds.yaml:1: clouds.devstack: Invalid region entry at: {'nam': 'KR1', 'password': '***'}""",
        id="a-region-with-a-secret",
    ),
    pytest.param(
        "clouds: {devstack: {networks: [hunter2]}}",
        "clouds.yaml:1: clouds.devstack.networks[0]: is text: write keys and values, like key: value",
        id="a-network",
    ),
    pytest.param(
        f"clouds: {{devstack: {{region_name: '{{0}}', auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: openstacksdk cannot use these settings; see https://docs.openstack.org/*",
        id="whatever-else",
    ),
    pytest.param(
        f"clouds: {{devstack: {{cacert: nowhere.pem, auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: the certificates in nowhere.pem cannot be used: No such file or directory",
        id="no-authority",
    ),
    pytest.param(
        f"clouds: {{devstack: {{cert: clouds.yaml, auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: the certificates in clouds.yaml cannot be used: *",
        id="no-certificate",
    ),
]


@pytest.mark.parametrize(("content", "told"), MISTAKES)
def test_a_mistake_is_told_in_one_line(content: str | None, told: str, caplog: pytest.LogCaptureFixture) -> None:
    if content is not None:
        Path("clouds.yaml").write_text(content)
    with pytest.raises(UsageError) as caught:
        configured("devstack", "KR9" if "regions: [KR1]" in (content or "") else None)
    assert fnmatchcase(str(caught.value), told.replace("[", "[[]")), str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caplog.text == "", "the library's own words may quote the file"


@pytest.mark.parametrize("file", ["clouds.yaml", "secure.yaml"])
@pytest.mark.parametrize("written", ["2026-11-01", "0123", "0x1F", "yes", "True", "1_0", "1.50", "+5", "12:30:45"])
def test_a_secret_that_yaml_does_not_read_as_its_text_is_refused(written: str, file: str) -> None:
    cloud(auth=at("http://x"))
    key = AUTH_KEY + "      " + ("" if file == "secure.yaml" else "auth_url: http://x\n      username: x\n      ")
    Path(file).write_text(f"{key}password: {written}\n")
    line = 4 if file == "secure.yaml" else 6
    told = rf"^{file}:{line}: password YAML does not read it as the text you wrote: write it in quotes$"
    with pytest.raises(UsageError, match=told):
        configured("devstack", None)


def test_a_secret_of_another_cloud_is_left_alone() -> None:
    cloud(auth=at("http://x"))
    with Path("clouds.yaml").open("a") as file:
        file.write("  other:\n    auth:\n      password: 0123\n")
    assert configured("devstack", None).secrets


def test_half_of_a_character_in_a_secret_is_refused() -> None:
    Path("clouds.yaml").write_text(AUTH_KEY + '      password: "hunter2\\ud83d"\n')
    with pytest.raises(UsageError, match=r"^clouds\.yaml:4: password holds half a character"):
        configured("devstack", None)


@pytest.mark.parametrize("written", ["12345678", "'0123'", '"yes"', "1_a", "0", "!!str 0123"])
def test_a_secret_that_is_read_as_its_text_is_sent_so(written: str) -> None:
    with serving(Keystone()) as server:
        cloud(auth=at(server.url))
        text = Path("clouds.yaml").read_text()
        Path("clouds.yaml").write_text(text.replace(f"password: {PASSWORD}", f"password: {written}"))
        identity = configured("devstack", None)
        assert identity.secrets[-1] == written.removeprefix("!!str ").strip("'\"")


VARIABLES = {"OS_AUTH_URL": "http://x/v3", "OS_USERNAME": "x", "OS_PASSWORD": "hunter2", "OS_PROJECT_NAME": "p"}
MISTAKES_OF_VARIABLES = [
    pytest.param({"OS_AUTH_URL": "x:5000/v3"}, "OS_AUTH_URL: is not a URL like https://host/path: *", id="no-scheme"),
    pytest.param(
        {"OS_PASSWORD": ""},
        "the OS_* variables: OS_PASSWORD is not set or empty, and auth_type password needs it",
        id="no-password",
    ),
    pytest.param(
        {"OS_AUTH_TYPE": "v3totp"},
        "the OS_* variables: OS_PASSCODE is not set or empty, and auth_type v3totp needs it (*",
        id="no-passcode",
    ),
    pytest.param({"OS_AUTH_TYPE": "v9"}, 'OS_AUTH_TYPE: "v9" is not an auth_type known here', id="no-plugin"),
    pytest.param(
        {"OS_AUTH_TYPE": "v3samlpassword"},
        "OS_AUTH_TYPE: v3samlpassword needs a library that is not installed: pip install 'keystoneauth1[[]saml2]'",
        id="a-plugin-that-cannot-be-imported",
    ),
    pytest.param(
        {"OS_AUTH_TYPE": "v3kerberos"},
        "OS_AUTH_TYPE: v3kerberos needs a library that is not installed: pip install 'keystoneauth1[[]kerberos]'",
        id="a-plugin-that-is-not-available",
    ),
    pytest.param(
        {"OS_CLIENT_CONFIG_FILE": "gone.yaml"},
        "OS_CLIENT_CONFIG_FILE: gone.yaml cannot be read: No such file or directory",
        id="no-file",
    ),
    pytest.param({"OS_PASSWORD": "\udcffhunter2"}, "OS_PASSWORD: is not UTF-8 text", id="a-password-that-is-no-text"),
    pytest.param({"OS_USERNAME": "\udcff"}, "OS_USERNAME: is not UTF-8 text", id="a-name-that-is-no-text"),
    pytest.param({"OS_AUTH_URL": "http://\udcff/v3"}, "OS_AUTH_URL: is not UTF-8 text", id="a-url-that-is-no-text"),
    pytest.param(
        {"OS_INTERFACE": "xyz"},
        'the OS_* variables: interface "xyz" is not one of public, internal, admin',
        id="interface",
    ),
    pytest.param({"OS_IMAGE_ENDPOINT_OVERRIDE": "x/v2"}, "OS_IMAGE_ENDPOINT_OVERRIDE: is not a URL*", id="override"),
]


@pytest.mark.parametrize(("given", "told"), MISTAKES_OF_VARIABLES)
def test_a_mistake_in_a_variable_is_told_with_its_name(
    given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (VARIABLES | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as caught:
        configured(None, None)
    assert fnmatchcase(str(caught.value), told), str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_profile_that_is_not_there_is_named_where_it_was_to_give_something(caplog: pytest.LogCaptureFixture) -> None:
    cloud(profile="nobody")
    missing = "auth_url is missing or empty, also in profile nobody, and auth_type password needs it"
    with pytest.raises(UsageError, match=rf"^clouds\.yaml:3: clouds\.devstack\.auth: {missing}$"):
        configured("devstack", None)
    assert caplog.text.count("Couldn't find the vendor profile nobody") == 1


def test_a_mistake_in_the_file_of_secrets_is_told_with_its_line() -> None:
    cloud(auth={name: value for name, value in at("http://x").items() if name != "password"})
    Path("secure.yaml").write_text("clouds:\n  devstack:\n    auth:\n      password: [hunter2]\n")
    with pytest.raises(UsageError, match=r"^secure\.yaml:4: clouds\.devstack\.auth\.password: is a list: write text"):
        configured("devstack", None)


def test_what_other_tools_take_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    """Merge keys, tags of YAML itself, a byte order mark, and whatever is wrong with a cloud that is not asked for."""
    Path("clouds.yaml").write_text(
        "\ufeffbase: &base\n  region_name: KR1\n"
        f"clouds:\n  7: {{}}\n  other:\n  devstack:\n    <<: *base\n    auth: {WITH_URL}\n"
    )
    assert configured("devstack", None).region == "KR1"
    Path("clouds.yaml").write_text(f"clouds:\n  devstack:\n    region_name: !!str KR2\n    auth: {WITH_URL}\n")
    assert configured("devstack", None).region == "KR2"
    assert caplog.text == ""


def test_a_file_that_is_none_is_passed_over_and_said() -> None:
    os.mkfifo("clouds.yaml")
    with pytest.raises(UsageError, match=r"; clouds\.yaml cannot be read: it is not a regular file$"):
        configured("devstack", None)


def test_json_is_read_and_told_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "clouds.json")
    Path("clouds.json").write_text('{"clouds": {"devstack":\n {"auth": []}}}')
    with pytest.raises(UsageError, match=r"^clouds\.json:2: clouds\.devstack\.auth: is a list: write auth_url"):
        configured("devstack", None)
    Path("clouds.json").write_text('{"clouds":\n {]}')
    with pytest.raises(UsageError, match=r"^clouds\.json:2: is not JSON$"):
        configured("devstack", None)


def test_a_cloud_that_a_variable_names_though_there_is_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLOUD", "prod")
    with pytest.raises(UsageError, match=r'no cloud named "prod": there is no clouds\.yaml'):
        configured(None, None)


def test_a_cloud_that_a_variable_names_wrongly_is_told_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud("prod", at("http://x"))
    monkeypatch.setenv("OS_CLOUD", "prdo")
    with pytest.raises(UsageError, match=r'no cloud named "prdo" in .*clouds\.yaml; there is prod'):
        configured(None, None)


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
