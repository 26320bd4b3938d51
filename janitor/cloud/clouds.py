"""clouds.yaml and the OS_* variables: how they say to sign in, found and read by openstacksdk itself."""

import importlib.util
import logging
import ssl
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
import yaml
from keystoneauth1 import exceptions
from keystoneauth1.identity.base import BaseIdentityPlugin

from janitor.cloud.catalogue import TYPES, EndpointPreferences
from janitor.cloud.keystone import Identity, label_of
from janitor.errors import CloudError, UsageError
from janitor.redaction import Redaction


@contextmanager
def _without_services() -> Iterator[None]:
    """Lets parts of openstacksdk be imported without all of it, which takes 10 MiB and a third of a second."""
    package = importlib.util.find_spec("openstack")
    if package is None or "openstack" in sys.modules:
        yield
        return
    sys.modules["openstack"] = importlib.util.module_from_spec(package)
    try:
        yield
    finally:
        del sys.modules["openstack"]


with suppress(ImportError, AttributeError), _without_services():  # else all of it is imported after all
    import openstack.config  # noqa: F401 - loaded, and taken from below
from openstack.config import OpenStackConfig  # noqa: E402 - see above
from openstack.config.cloud_region import CloudRegion  # noqa: E402
from openstack.exceptions import SDKException  # noqa: E402

_log = logging.getLogger("janitor.cloud")
logging.getLogger("stevedore").setLevel(logging.CRITICAL)  # a plugin that it cannot load is an error of ours already

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError)
_SECRET = ("password", "secret", "token", "passcode")
_PLACES = "the current directory, ~/.config/openstack, /etc/openstack, and where OS_CLIENT_CONFIG_FILE says"


def configured(cloud: str | None, region: str | None) -> Identity:
    """The way to sign in to a cloud of clouds.yaml, or for None to the one that the OS_* variables mean.

    They are found and read as by every OpenStack tool. Raises UsageError where they make no sense, and CloudError for a
    profile that is to come from a URL and does not.
    """
    where = "the OS_* variables" if cloud is None else f'cloud "{cloud}"'
    redact = Redaction()
    try:
        with _listening() as heard:
            config = OpenStackConfig()
            heard.complain()
            redact = Redaction(*_secrets_in(config.cloud_config))
            name = config.default_cloud if cloud is None else cloud
            _be_known(config, name)
            return _identity(config.get_one(name, region_name=region or ""))
    except requests.RequestException as error:
        raise CloudError(f"{where}: its profile cannot be fetched: {redact(str(error))}") from error
    except (SDKException, exceptions.ClientException) as error:
        raise UsageError(f"{where}: {redact(' '.join(error.message.split()))}") from error
    except _UNREADABLE as error:
        raise UsageError(f"{where}: openstacksdk cannot read what is configured ({type(error).__name__})") from error


@contextmanager
def _listening() -> Iterator["_Heard"]:
    """Keeps the library from writing anywhere: its warnings are logged as ours, the lines of its log are noted."""
    logger, heard = logging.getLogger("openstack.config"), _Heard()
    logger.addHandler(heard)
    logger.propagate = False
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            yield heard
        finally:
            logger.propagate = True
            logger.removeHandler(heard)
            for warning in warned:
                if not issubclass(warning.category, PendingDeprecationWarning):  # these are the library's own plans
                    _log.warning("openstack-configuration: %s", warning.message)


class _Heard(logging.Handler):
    """The files that the library would rather skip, saying why in words that quote them, passwords included."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._skipped: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and record.args and Path(str(record.args[0])).exists():
            self._skipped.append(str(record.args[0]))

    def complain(self) -> None:
        """Raise UsageError if there are any."""
        if self._skipped:
            raise UsageError(f"{', '.join(self._skipped)}: no clouds can be read from it")


def _be_known(config: OpenStackConfig, name: str | None) -> None:
    """Raises UsageError, which lists what there is, for a cloud that there is not."""
    clouds = config.get_cloud_names()
    if name is None or name in clouds:
        return
    if config.config_filename is None:
        raise UsageError(f'no cloud named "{name}": there is no clouds.yaml (looked for in {_PLACES})')
    # Of a file without clouds openstacksdk makes one of its own.
    known = "it has none" if clouds == ["defaults"] else f"there is {', '.join(clouds)}"
    raise UsageError(f'no cloud named "{name}" in {config.config_filename}; {known}')


def _identity(region: CloudRegion) -> Identity:
    plugin = region.get_auth()
    if not isinstance(plugin, BaseIdentityPlugin):
        kind = region.config.get("auth_type")
        raise UsageError(f"auth_type {kind} gives no token with a catalogue, and nothing else tells where images are")
    verify, certificate = region.get_requests_verify_args()
    return Identity(
        label=label_of(plugin.auth_url or ""),
        secrets=tuple(_secrets_in(region.config)),
        region=region.get_region_name() or None,
        verify=_tls(verify, certificate),
        preferences={service: _preferences(region, kinds[0]) for service, kinds in TYPES.items()},
        plugin=plugin,
    )


def _secrets_in(config: object) -> Iterator[str]:
    """What stands under the keys that hold secrets, however deep."""
    pairs = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, value in pairs:
        if isinstance(value, str) and str(key).replace("-", "_").endswith(_SECRET):
            yield value
        yield from _secrets_in(value)


def _preferences(region: CloudRegion, service: str) -> EndpointPreferences:
    named = region.get_interface(service) or "public"
    interfaces = (named,) if isinstance(named, str) else named
    return EndpointPreferences(
        tuple(one.removesuffix("URL") for one in interfaces if one), region.get_endpoint(service)
    )


def _tls(verify: bool | str | None, certificate: str | tuple[str, str] | None) -> ssl.SSLContext | bool:
    """How to check the servers of a cloud, and the certificate to show them."""
    if certificate is None and not isinstance(verify, str):
        return verify is not False
    try:
        context = _trusting(verify)
        if certificate is not None:
            file, key = (certificate, None) if isinstance(certificate, str) else certificate
            context.load_cert_chain(file, key, password="")  # an encrypted key is an error, and no prompt
    except OSError as error:
        files = ", ".join(str(file) for file in (verify, certificate) if file not in (True, False, None))
        raise UsageError(f"the certificates in {files} cannot be used: {error.strerror or error}") from error
    return context


def _trusting(verify: bool | str | None) -> ssl.SSLContext:
    if isinstance(verify, str) and Path(verify).is_dir():
        return ssl.create_default_context(capath=verify)
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    context = ssl.create_default_context()
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
