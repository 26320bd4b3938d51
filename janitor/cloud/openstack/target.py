"""A target of an OpenStack cloud: its keys in YAML, and their values once checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from janitor.cloud.schema import ApiWord, HttpSchema, Imageless, TargetSchema
from janitor.cloud.service import Need, Sources
from janitor.core.image import Image, Visibility
from janitor.documents import Fault, forms
from janitor.documents.forms import with_schema
from janitor.documents.kinds import A_URL, BaseAddress, Secret, Text, base_address
from janitor.documents.schema import Label, Schema, read_as, word_of
from janitor.transport import HttpOptions

EVERY_REGION = "*"

# A service that distinguishes shared from private images says so; in others, private images may have members.
_MAY_BE_SHARED = frozenset({Visibility.SHARED, Visibility.PRIVATE, None})
_SPELLED_OUT = ("identity", "tenant_id", "username", "password")
_CREDENTIALS = ("cloud", *_SPELLED_OUT)
_NO_CREDENTIALS = (
    "has no credentials: name a cloud of clouds.yaml by cloud, or give identity, tenant_id, username and password, "
    "or set the OS_* variables, of which neither OS_CLOUD nor OS_AUTH_URL is set"
)


@dataclass(frozen=True, slots=True)
class Login:
    """The credentials for an Identity v2.0, whose URL `identity` ends with its version."""

    identity: str
    tenant_id: str
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenStackTarget:
    """One project of an OpenStack cloud, in one region or, where that is "*", in each one that has images.

    Its credentials are a `login`, those of a `cloud` of clouds.yaml, or else those in the OS_* variables.
    `image_endpoint` replaces the image services of the catalogue. `imageless`: servers without an image leave the key
    `image` out. Wide because it has a field for every key that a target of this API may have.
    """

    name: str
    api: Literal["openstack"]
    login: Login | None
    cloud: str | None
    region: str | None
    image_endpoint: str | None
    shared_ignored: bool
    usage: Sources
    imageless: bool
    http: HttpOptions

    @property
    def address(self) -> str | None:
        """The identity service, where it is configured."""
        return self.login.identity if self.login is not None else None

    @property
    def project(self) -> str | None:
        """The project, where it is configured here."""
        return self.login.tenant_id if self.login is not None else None

    @property
    def account(self) -> None:
        """None: only signing in tells which project it is."""
        return

    @property
    def is_in_every_region(self) -> bool:
        """Whether it is a site for each region of the catalogue."""
        return self.region == EVERY_REGION


def _identity(text: str) -> str:
    """The URL of an Identity v2.0, with its version."""
    url = base_address(text)
    if re.search(r"/v3\Z", url):
        raise ValueError(
            "is Identity v3, but these keys are for v2.0. For v3, name a cloud of clouds.yaml by `cloud`, "
            "or set the OS_* variables"
        )
    return url if url.endswith("/v2.0") else f"{url}/v2.0"


def _need(value: object) -> object:
    # YAML 1.1 reads a bare `off` as false, and so may the program that wrote this file.
    if value is False:
        return Need.OFF.value
    if value is True:
        raise ValueError("is true, which is not one of its values: write auto, required, optional or off")
    return value


Needed = Annotated[
    Need,
    word_of(Need, "known here"),
    BeforeValidator(_need),
    with_schema({"enum": [*map(str, Need), False]}),
]


class UsageSchema(Schema):
    """Which services are asked what uses images, and how much each of them matters.

    `imageless: none` says that servers which leave out the key `image` have no image.
    """

    servers: Needed = Need.AUTO
    volumes: Needed = Need.AUTO
    clusters: Needed = Need.AUTO
    stacks: Needed = Need.AUTO
    snapshots: Needed = Need.OFF
    imageless: Imageless | None = None

    def sources(self) -> Sources:
        """How much each source matters."""
        return Sources(self.servers, self.volumes, self.clusters, self.stacks, self.snapshots)


class OpenStackSchema(TargetSchema):
    """One project of an OpenStack cloud as written. That its credentials belong together is checked beside this.

    Wide because each key of such a target is a field.
    """

    name: Label = Field(description="give every target its own name")
    api: Annotated[Literal["openstack"], ApiWord] = Field(description="write openstack")
    cloud: Label | None = None
    identity: Annotated[str, read_as(_identity, A_URL, forms.IDENTITY_URL)] | None = None
    tenant_id: Label | None = None
    username: Secret | None = None
    username_file: Text | None = None
    password: Secret | None = None
    password_file: Text | None = None
    region: Label | None = None
    image_endpoint: BaseAddress | None = None
    shared: Annotated[Literal["guard", "ignore"], word_of(("guard", "ignore"), "known here")] = "guard"
    usage: UsageSchema = UsageSchema()
    http: HttpSchema = HttpSchema()

    def target(self, http: HttpOptions, environ: Mapping[str, str]) -> OpenStackTarget:
        """The project. Where the OS_* variables give the credentials, they may give the region, too."""
        login = self._login()
        region = self.region
        if region is None and login is None and self.cloud is None:
            # A cloud that OS_CLOUD names would ignore it.
            region = environ.get("OS_REGION_NAME") or None
        return OpenStackTarget(
            name=self.name,
            api=self.api,
            login=login,
            cloud=self.cloud,
            region=region,
            image_endpoint=self.image_endpoint,
            shared_ignored=self.shared == "ignore",
            usage=self.usage.sources(),
            imageless=self.usage.imageless is not None,
            http=http,
        )

    def _login(self) -> Login | None:
        match self.identity, self.tenant_id, self.username, self.password:
            case str() as identity, str() as tenant_id, str() as username, str() as password:
                return Login(identity, tenant_id, username, password)
            case _:
                return None


def credential_faults(
    target: Mapping[str, object], empty: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[Fault]:
    """Why the credentials of a target are not one complete set; `empty` says why some of its keys are empty."""
    given = [key for key in _SPELLED_OUT if key in target or f"{key}_file" in target]
    if "cloud" in target and given:
        spell = "spells" if len(given) == 1 else "spell"
        yield Fault(
            ("cloud",),
            f"takes the credentials from clouds.yaml, and {', '.join(given)} {spell} them out too: keep one of the two",
        )
    elif given:
        for key in _SPELLED_OUT:
            if key not in given:
                yield Fault((key,), f"is missing: {', '.join(_SPELLED_OUT)} belong together")
    elif "cloud" not in target and not environ.get("OS_CLOUD") and not environ.get("OS_AUTH_URL"):
        why = [f"{key}: {empty[key]}" for key in _CREDENTIALS if key in empty]
        yield Fault((), f"{_NO_CREDENTIALS}{''.join(f'; {one}' for one in why)}")


def may_be_shared(image: Image) -> bool:
    """Whether the visibility of an image allows members."""
    return image.visibility in _MAY_BE_SHARED
