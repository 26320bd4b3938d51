"""A target of the Compute API v1.0: its keys in YAML, and their values once checked."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from janitor.cloud.schema import ApiWord, HttpSchema, Imageless, TargetSchema
from janitor.core.survey.binding import Binding
from janitor.documents.kinds import BaseAddress, Secret, Text
from janitor.documents.schema import Label, Schema
from janitor.transport import HttpOptions

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ToastTarget:
    """One account of the v1.0 API of NHN Cloud (TOAST). `endpoint` has no slash at its end.

    `imageless`: a person says that servers without an image leave the key `image` out here; otherwise that is in doubt.
    """

    name: str
    api: Literal["toast"]
    endpoint: str
    appkey: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)
    imageless: bool
    http: HttpOptions

    @property
    def address(self) -> str:
        """The endpoint."""
        return self.endpoint

    @property
    def project(self) -> None:
        """None: this API knows appkeys only."""
        return

    @property
    def account(self) -> str:
        """The appkey, with the endpoint at which it is one."""
        return f"{self.endpoint} {self.appkey}"

    @property
    def is_in_every_region(self) -> bool:
        """No: an appkey belongs to one region."""
        return False


class ToastUsageSchema(Schema):
    """What the v1.0 API does not specify about usage."""

    imageless: Imageless | None = None


class ToastSchema(TargetSchema):
    """One account of the v1.0 API as written. Wide because each key of such a target is a field."""

    told_apart_by: ClassVar[str] = "the endpoint and appkey"

    name: Label = Field(description="give every target its own name")
    api: Annotated[Literal["toast"], ApiWord] = "toast"
    endpoint: BaseAddress = "https://api-compute.cloud.toast.com/compute"
    appkey: Secret
    appkey_file: Text | None = None
    username: Secret
    username_file: Text | None = None
    password: Secret
    password_file: Text | None = None
    usage: ToastUsageSchema = ToastUsageSchema()
    http: HttpSchema = HttpSchema()

    def target(self, http: HttpOptions, environ: Mapping[str, str]) -> ToastTarget:  # noqa: ARG002 - of another API
        """The account."""
        return ToastTarget(
            name=self.name,
            api=self.api,
            endpoint=self.endpoint,
            appkey=self.appkey,
            username=self.username,
            password=self.password,
            imageless=self.usage.imageless is not None,
            http=http,
        )

    def account(self) -> Binding:
        """The account of the appkey at the endpoint."""
        return appkey_binding(self.endpoint, self.appkey)


def appkey_binding(endpoint: str, appkey: str) -> Binding:
    """The account of an appkey at an endpoint, which may be written in several ways."""
    parts = urlsplit(endpoint.strip())
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme)
    path = re.sub("//+", "/", parts.path).rstrip("/")
    told = json.dumps([parts.scheme, host, port, path, appkey])
    return Binding("toast", hashlib.sha256(told.encode()).hexdigest())
