"""clouds.yaml and the OS_* variables: how to sign in by them, as openstacksdk itself finds and reads them."""

import logging
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from keystoneauth1 import exceptions
from keystoneauth1.identity.base import BaseIdentityPlugin

from janitor.cloud.openstack.catalogue import EndpointPreferences
from janitor.cloud.openstack.clouds.config import CloudRegion, Configuration, OpenStackConfig, SDKException, profiles_by
from janitor.cloud.openstack.clouds.files import INTERFACES, CloudFiles
from janitor.cloud.openstack.clouds.secrets import SECRETS
from janitor.cloud.openstack.keystone import Identity, label_of
from janitor.cloud.openstack.service_types import TYPES
from janitor.errors import CloudError, UsageError
from janitor.redaction import Redaction, credentials_in
from janitor.transport import HttpOptions, Transient
from janitor.transport.trust import Trust, context_of, unchecked

_log = logging.getLogger("janitor.cloud")
logging.getLogger("stevedore").setLevel(logging.CRITICAL)  # a plugin that cannot be loaded is already reported by us

_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)
_HOW_TO = "see https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html for what it takes"
_PLACES = "the current directory, ~/.config/openstack, /etc/openstack, and OS_CLIENT_CONFIG_FILE"


def configured(cloud: str | None, region: str | None, options: HttpOptions | None = None) -> Identity:
    """The way to sign in to a cloud of clouds.yaml, or for None to the one that the OS_* variables name.

    `options` say how a profile is fetched from a URL, and which certificates are trusted. Files and variables are found
    and read as by every OpenStack tool. Raises UsageError, with file and line or the variable, where they are invalid,
    and CloudError for a profile that cannot be fetched from its URL.
    """
    files, redact, options = CloudFiles(), Redaction(), options or HttpOptions()
    where = "the OS_* variables" if cloud is None else f'cloud "{cloud}"'
    try:
        with _listening(), profiles_by(options):
            config = Configuration(files)
            redact = Redaction(*_secrets_in(config.cloud_config))
            name = config.named() if cloud is None else cloud
            _check_known(config, files, name)
            where = config.begin(name)
            return _identity(config.get_one(name, region_name=region or ""), config, where, options.route.trust)
    except (requests.RequestException, Transient) as error:
        raise CloudError(f"{where}: its profile cannot be fetched: {redact(str(error))}") from error
    except (SDKException, exceptions.ClientException) as error:
        raise UsageError(f"{where}: {redact(' '.join(error.message.split()))}") from error
    except _UNREADABLE as error:
        raise UsageError(f"{where}: openstacksdk cannot use these settings; {_HOW_TO}") from error


@contextmanager
def _listening() -> Iterator[None]:
    """Keeps the library from writing anywhere: its warnings are logged as ours; its own log would quote the files."""
    logger, silence = logging.getLogger("openstack.config"), logging.NullHandler()
    logger.addHandler(silence)
    logger.propagate = False
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            logger.propagate = True
            logger.removeHandler(silence)
            # PendingDeprecationWarnings concern the library's own future.
            ours = (one for one in warned if not issubclass(one.category, PendingDeprecationWarning))
            for message in dict.fromkeys(str(one.message) for one in ours):
                _log.warning("openstack-configuration: %s", message)


def _check_known(config: OpenStackConfig, files: CloudFiles, name: str | None) -> None:
    """Raises UsageError, which lists the clouds that exist, for one that does not."""
    clouds = config.get_cloud_names()
    if name is None or name in clouds:
        return
    passed_over = "".join(f"; {file}" for file in files.unreadable)
    if config.config_filename is None:
        raise UsageError(f'no cloud named "{name}": there is no clouds.yaml (looked for in {_PLACES}){passed_over}')
    # For a file without clouds openstacksdk makes one up.
    known = "it has none" if clouds == ["defaults"] else f"there is {', '.join(map(str, clouds))}"
    raise UsageError(f'no cloud named "{name}" in {config.config_filename}; {known}{passed_over}')


def _identity(region: CloudRegion, config: Configuration, where: str, trust: Trust) -> Identity:
    plugin = region.get_auth()
    if not isinstance(plugin, BaseIdentityPlugin):
        kind = region.config.get("auth_type")
        raise UsageError(
            f"{where}: auth_type {kind} gives no token with a service catalogue, so the image service cannot be found"
        )
    preferences = {service: _preferences(region, kinds[0]) for service, kinds in TYPES.items()}
    for service, wanted in preferences.items():
        config.check_url(f"{TYPES[service][0].replace('-', '_')}_endpoint_override", wanted.url)
    for wanted in preferences.values():
        if odd := [one for one in wanted.interfaces if one not in INTERFACES]:
            raise UsageError(f'{where}: interface "{odd[0]}" is not one of {", ".join(INTERFACES)}')
    verify, certificate = region.get_requests_verify_args()
    return Identity(
        label=label_of(plugin.auth_url or ""),
        secrets=tuple(_secrets_in(region.config)),
        region=region.get_region_name() or None,
        verify=_tls(verify, certificate, where, trust),
        preferences=preferences,
        project=_project_in(region.config.get("auth")),
        plugin=plugin,
    )


def _project_in(auth: object) -> str | None:
    """The id of the configured project; which key holds it depends on the way of signing in."""
    given = (auth.get(key) for key in ("project_id", "tenant_id")) if isinstance(auth, dict) else ()
    return next((str(project) for project in given if project), None)


def _secrets_in(config: object) -> Iterator[str]:
    """The values of the keys that hold secrets, at any depth."""
    pairs = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, value in pairs:
        if isinstance(value, str):
            yield from credentials_in(value)
        if isinstance(value, str | int) and str(key).replace("-", "_").endswith(SECRETS):
            yield str(value)
        yield from _secrets_in(value)


def _preferences(region: CloudRegion, service: str) -> EndpointPreferences:
    named = region.get_interface(service) or "public"
    interfaces = (named,) if isinstance(named, str) else named
    return EndpointPreferences(
        tuple(one.removesuffix("URL") for one in interfaces if one), region.get_endpoint(service)
    )


def _tls(
    verify: bool | str | None, certificate: str | tuple[str, str] | None, where: str, trust: Trust
) -> ssl.SSLContext | bool:
    """How to verify the servers of a cloud, and the certificate to present to them; `trust` is the default."""
    if certificate is None and not isinstance(verify, str):
        return verify is not False
    try:
        context = _trusting(verify, trust)
        if certificate is not None:
            file, key = (certificate, None) if isinstance(certificate, str) else certificate
            context.load_cert_chain(file, key, password="")  # an encrypted key is an error, never a prompt
    except (OSError, ValueError) as error:
        files = ", ".join(str(file) for file in (verify, certificate) if file not in (True, False, None))
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"{where}: the certificates in {files} cannot be used: {said}") from error
    return context


def _trusting(verify: bool | str | None, trust: Trust) -> ssl.SSLContext:
    """A new context that verifies servers, to which a certificate can be added."""
    if verify is False:
        return unchecked()
    if isinstance(verify, str):
        trust = Trust(None, (verify,)) if Path(verify).is_dir() else Trust(verify)
    return context_of(trust, shared=False)
