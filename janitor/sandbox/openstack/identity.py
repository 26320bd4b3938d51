"""The identity service: tokens for the only user of the only project, by v2.0 as on NHN Cloud, and by v3."""

import json
from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.models import OURS
from janitor.sandbox.openstack.directory import Directory
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.openstack.images import zulu
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.options import Options
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.tokens import Token

PROJECT_NAME = "sandbox"
DOMAIN = {"id": "default", "name": "Default"}
USER = "c9b1e5d27f3a4086a4de91b7c02f6e58"
_ROLE = {"id": "9fe2ff9ee4384b1894a90878d3e92bab", "name": "member"}


class Identity:
    """The identity service of all regions."""

    def __init__(self, service: Service, options: Options, directory: Directory) -> None:
        self._account = service.account
        self._options = options
        self._directory = directory
        self.endpoints: tuple[Endpoint, ...] = (
            service.open_endpoint("issue-token", "POST", "/v2.0/tokens", self.issue_v2),
            service.open_endpoint("issue-token", "POST", "/v3/auth/tokens", self.issue_v3),
        )

    def issue_v2(self, asked: Asked) -> Response:
        """POST /v2.0/tokens."""
        auth = _part(_read(asked.body), "auth")
        given = _part(auth, "passwordCredentials")
        self._same_project(auth.get("tenantId", OURS), auth.get("tenantName", PROJECT_NAME))
        token = self._account.sign_in(_text(given, "username"), _text(given, "password")).moved(asked.clock_off)
        return said({"access": self._access(token)})

    def issue_v3(self, asked: Asked) -> Response:
        """POST /v3/auth/tokens."""
        auth = _part(_read(asked.body), "auth")
        identity = _part(auth, "identity")
        match identity.get("methods"):
            case ["password"]:
                self._in_scope(auth)
                token = self._by_password(_part(_part(identity, "password"), "user"))
                method, credential = "password", {}
            case ["application_credential"]:
                given = _part(identity, "application_credential")
                token = self._account.sign_in_application(_text(given, "id"), _text(given, "secret"))
                method, credential = "application_credential", {"application_credential": self._credential()}
            case _:
                raise _denied()
        token = token.moved(asked.clock_off)
        document = {**self._token(token, method), **credential}
        return said({"token": document}, 201, {"X-Subject-Token": token.id, "Vary": "X-Auth-Token"})

    def _by_password(self, user: Mapping[str, object]) -> Token:
        if "id" in user:
            name = self._options.username if user["id"] == USER else ""
        else:
            _same(_part(user, "domain"), DOMAIN)
            name = _text(user, "name")
        return self._account.sign_in(name, _text(user, "password"))

    def _in_scope(self, auth: Mapping[str, object]) -> None:
        """Whether the requested project is ours; without one it is the user's default, which is ours, too."""
        if "scope" not in auth:
            return
        project = _part(_part(auth, "scope"), "project")
        self._same_project(project.get("id", OURS), project.get("name", PROJECT_NAME))
        if "id" not in project:
            _same(_part(project, "domain"), DOMAIN)

    def _same_project(self, project: object, name: object) -> None:
        if (project, name) != (OURS, PROJECT_NAME):
            raise _denied()

    def _access(self, token: Token) -> dict[str, object]:
        """The v2.0 description of a token; its two times have different formats, as in the vendor's sample."""
        return {
            "token": {
                "id": token.id,
                "expires": zulu(token.expires_at),
                "issued_at": _fraction(token.issued_at),
                "tenant": {
                    "id": OURS,
                    "name": PROJECT_NAME,
                    "groupId": "sandbox",
                    "description": "",
                    "enabled": True,
                    "project_domain": "NORMAL",
                },
                "audit_ids": [],
            },
            "serviceCatalog": self._directory.catalogue_v2(),
            "user": {
                "id": USER,
                "username": self._options.username,
                "name": self._options.username,
                "roles": [{"name": _ROLE["name"]}],
                "roles_links": [],
            },
            "metadata": {"roles": [_ROLE["id"]], "is_admin": 0},
        }

    def _token(self, token: Token, method: str) -> dict[str, object]:
        return {
            "methods": [method],
            "user": {"domain": DOMAIN, "id": USER, "name": self._options.username, "password_expires_at": None},
            "audit_ids": [],
            "expires_at": f"{_fraction(token.expires_at)}Z",
            "issued_at": f"{_fraction(token.issued_at)}Z",
            "project": {"domain": DOMAIN, "id": OURS, "name": PROJECT_NAME},
            "is_domain": False,
            "roles": [_ROLE],
            "catalog": self._directory.catalogue_v3(),
        }

    def _credential(self) -> dict[str, object]:
        return {"id": self._options.application, "name": "sandbox", "restricted": True}


def _fraction(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds")[:26]


def _denied() -> Refusal:
    return Refusal(Kind.BAD_CREDENTIALS, Resource.TOKEN, "not this user, or not this project")


def _malformed(message: str) -> Refusal:
    return Refusal(Kind.MALFORMED, Resource.TOKEN, message)


def _read(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        message = "The server could not comply with the request since it is malformed. The request body is not JSON."
        raise Refusal(Kind.UNREADABLE_BODY, Resource.TOKEN, message) from error
    if not isinstance(document, dict):
        raise _malformed("The request body is not an object.")
    return document


def _part(whole: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = whole.get(key)
    if not isinstance(part, dict):
        raise _malformed(f"Expecting to find {key} in the request. The server could not comply with the request.")
    return part


def _text(whole: Mapping[str, object], key: str) -> str:
    value = whole.get(key)
    if not isinstance(value, str) or not value:
        raise _malformed(f"Expecting to find {key} in the request. The server could not comply with the request.")
    return value


def _same(given: Mapping[str, object], wanted: Mapping[str, str]) -> None:
    """Whether the domain, named by its id or its name, is that one."""
    if not given or any(given.get(key, wanted[key]) != wanted[key] for key in wanted):
        raise _denied()
