"""TLS as configured in clouds.yaml: who is trusted, by which certificate, and that nothing is sent to others."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
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

from janitor.cloud.api import Surroundings
from janitor.cloud.openstack.accounts import OpenStackAccount
from janitor.cloud.openstack.clouds import configured
from janitor.config import accounts, load_settings
from janitor.errors import UsageError
from janitor.transport import Transient
from tests.cloud.clouds_yaml import at, cloud
from tests.identity_stand_in import Keystone, grant
from tests.loopback import Loopback

pytestmark = pytest.mark.usefixtures("alone")


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
