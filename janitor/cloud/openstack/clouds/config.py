"""openstacksdk's own reading of clouds.yaml and the OS_* variables, observed so that every problem names its place."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions, loading

from janitor.cloud.openstack.clouds.files import CloudFiles
from janitor.core.names.spelling import SURROGATE
from janitor.documents.schema import suggestion
from janitor.errors import CloudError, UsageError
from janitor.redaction import Redaction
from janitor.transport import HttpOptions
from janitor.transport.http import Transport
from janitor.transport.messages import status_words
from janitor.transport.requests_adapter import session_over


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
from openstack.config import OpenStackConfig, vendors  # noqa: E402 - see above
from openstack.config.cloud_region import CloudRegion  # noqa: E402
from openstack.exceptions import SDKException  # noqa: E402

__all__ = ["CloudRegion", "Configuration", "OpenStackConfig", "SDKException", "profiles_by"]

_VARIABLES = "the OS_* variables"
_PROFILE_SECONDS = 10.0
_LARGEST_PROFILE = 2**20
_USER = ("username", "user_id")
_SECRETS = ("application_credential_id", "application_credential_name")
# What a way of signing in needs although keystoneauth1 does not say so; of keys in one group, any one.
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "password": (_USER, ("password",)),
    "v2password": (_USER, ("password",)),
    "v3password": (_USER, ("password",)),
    "v3totp": (_USER, ("passcode",)),
    "token": (("token",),),
    "v2token": (("token",),),
    "v3token": (("token",),),
    "v3applicationcredential": (_SECRETS,),
}
_HINTS = {"passcode": " (which is valid for half a minute: for a job, use an application credential)"}
_WITHOUT_TOKEN = ("none", "noauth", "admin_token", "v2admin_token", "http_basic")
_EXTRAS = {"v3kerberos": "kerberos", "v3fedkerb": "kerberos", "v3oauth1": "oauth1"}
_EXTRAS |= {"v3samlpassword": "saml2", "v3adfspassword": "saml2"}


@contextmanager
def profiles_by(options: HttpOptions) -> Iterator[None]:
    """Lets openstacksdk fetch profiles from a URL by our transport; by itself it would follow redirects."""
    library: Any = vendors
    before, library.requests = library.requests, _Profiles(options)
    try:
        yield
    finally:
        library.requests = before


class _Profiles:
    """What openstacksdk uses as the library `requests`."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options

    def get(self, url: str, timeout: float = _PROFILE_SECONDS) -> requests.Response:
        """The answer from this URL. Raises Transient and CloudError, for a redirect too."""
        parts = urlsplit(url)
        label = f"profile of {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        transport = Transport(self._options, Redaction(), largest=_LARGEST_PROFILE)
        try:
            session = session_over(transport, timeout, label, secure=parts.scheme == "https")
            response = session.get(url, allow_redirects=False)
        finally:
            transport.close()
        if 300 <= response.status_code < 400:
            raise CloudError(f"{label}: {status_words(response.status_code)}")
        return response


class Configuration(OpenStackConfig):
    """What openstacksdk makes of its files and variables. Every method raises UsageError for what it cannot use.

    The methods that begin with an underscore override its own, in the locked version.
    """

    def __init__(self, files: CloudFiles) -> None:
        self._files = files
        self._cloud: str | None = None
        super().__init__()

    def named(self) -> str | None:
        """The cloud that the variables name."""
        # From nothing at all openstacksdk makes up a cloud.
        return (self._get_envvar("OS_CLOUD") or None) if self.default_cloud == "defaults" else self.default_cloud

    def begin(self, cloud: str | None) -> str:
        """Select one cloud; gives its place, for messages. Raises UsageError for what is plainly wrong."""
        self._cloud = cloud
        if cloud is not None:
            self._files.check(cloud)
        if cloud == self.envvar_key:
            self._check_variables(self.cloud_config["clouds"][cloud])
        return self._place()

    def _check_variables(self, given: dict[str, Any]) -> None:
        odd = [f"OS_{name.upper()}" for name, value in given.items() if SURROGATE.search(f"{name}{value}")]
        if odd:
            raise UsageError(f"{', '.join(odd)}: {'is' if len(odd) == 1 else 'are'} not UTF-8 text")

    def _place(self, *names: tuple[str, ...]) -> str:
        if self._cloud is None or self._cloud in (self.envvar_key, "defaults"):
            return _VARIABLES
        return self._files.place(self._cloud, *names)

    def _key(self, name: str) -> str:
        """Where a value comes from: its line, or its variable."""
        if self._cloud == self.envvar_key:
            return f"OS_{name.upper()}"
        return self._place(("auth", name), (name,), ("profile",))

    def _load_yaml_json_file(self, filelist: list[str]) -> tuple[str, Any] | tuple[None, None]:
        for path in filelist:
            if os.path.lexists(path) or self._is_named(path):
                with suppress(OSError):
                    return path, self._files.read(path)
                if variable := self._is_named(path):
                    raise UsageError(f"{variable}: {self._files.unreadable[-1]}")
        return None, None

    def _is_named(self, path: str) -> str | None:
        """The variable that names this very file, which then must exist."""
        names = ("OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE")
        return next((name for name in names if self._get_envvar(name) == path), None)

    def _get_auth_loader(self, config: dict[str, Any]) -> "loading.BaseLoader[Any]":
        kind = config["auth_type"]
        try:
            loader: loading.BaseLoader[Any] = super()._get_auth_loader(config)
        except exceptions.NoMatchingPlugin as error:
            near = suggestion(str(kind), loading.get_available_plugin_names())
            raise UsageError(f'{self._key("auth_type")}: "{kind}" is not an auth_type known here{near}') from error
        except (AttributeError, ImportError) as error:  # some fail like this where their library is missing
            raise UsageError(self._unavailable(kind)) from error
        if kind in _WITHOUT_TOKEN:
            raise UsageError(
                f"{self._key('auth_type')}: auth_type {kind} gives no token with a service catalogue for a project, so "
                "the image service cannot be found"
            )
        if not loader.available:
            raise UsageError(self._unavailable(kind))
        return loader

    def _unavailable(self, kind: str) -> str:
        install = f": pip install 'keystoneauth1[{_EXTRAS[kind]}]'" if kind in _EXTRAS else ""
        return f"{self._key('auth_type')}: {kind} needs a library that is not installed{install}"

    def _validate_auth(self, config: dict[str, Any], loader: "loading.BaseLoader[Any]") -> dict[str, Any]:
        checked: dict[str, Any] = super()._validate_auth(config, loader)
        auth, kind = checked["auth"], checked["auth_type"]
        self._check_keys(auth, kind, [option.dest for option in loader.get_options()])
        options = [(option.dest,) for option in loader.get_options() if option.required]
        missing = [names for names in (*options, *_NEEDED.get(kind, ())) if not any(auth.get(name) for name in names)]
        if missing:
            raise UsageError(self._missing(missing, checked))
        self.check_url("auth_url", auth.get("auth_url"))
        return checked

    def _check_keys(self, auth: dict[str, Any], kind: str, known: list[str]) -> None:
        """Raises UsageError for keys that are probably misspelt: no known way to sign in takes them."""
        for name in auth:
            near = suggestion(name, known) if isinstance(name, str) and name not in known else ""
            if near and name not in _keys_of_all():
                raise UsageError(f"{self._key(name)}: {name} is not a key that auth_type {kind} knows{near}")

    def check_url(self, name: str, url: object) -> None:
        """Raises UsageError where that is the value of a key and not a URL."""
        if url is not None and not _is_url(url):
            place = self._key(name)
            said = "is not a URL like https://host/path: write it with https:// in front"
            raise UsageError(f"{place}: {'' if place.lower().endswith(name) else f'{name} '}{said}")

    def _missing(self, missing: list[tuple[str, ...]], config: dict[str, Any]) -> str:
        many, kind, profile = len(missing) > 1, config["auth_type"], config.get("profile")
        if self._place() == _VARIABLES:
            names = [" or ".join(f"OS_{name.upper()}" for name in names) for names in missing]
            said = f"{', '.join(names)} {'are' if many else 'is'} not set or empty"
        else:
            said = f"{', '.join(' or '.join(names) for names in missing)} {'are' if many else 'is'} missing or empty"
        given = f", also in profile {profile}" if profile else ""
        hint = _HINTS.get(missing[-1][0], "")
        needs = f"{said}{given}, and auth_type {kind} needs {'them' if many else 'it'}{hint}"
        return f"{self._place(('auth',))}: {needs}"


@cache
def _keys_of_all() -> frozenset[str]:
    """The keys that any of the usual ways to sign in takes: openstacksdk ignores those of another way."""
    usual = ("password", "token", "v3applicationcredential", "v3totp", "v2password")
    options = (option for kind in usual for option in loading.get_plugin_loader(kind).get_options())
    names = ((option.dest, *(old.name.replace("-", "_") for old in option.deprecated)) for option in options)
    return frozenset(name for several in names for name in several)


def _is_url(text: object) -> bool:
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
        return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
