"""The part of Keystone's API that makes projects, people and a catalogue, and gives tokens."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tests.glance.configuration import ADMIN, ADMIN_PASSWORD, REGION

_DOMAIN = "default"
_PASSWORD = "p@ss w0rd?&\"'"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may act in one project; `auth_url` is where they get their tokens."""

    auth_url: str
    user_id: str
    username: str
    password: str
    project_id: str
    project_name: str

    def token(self) -> str:
        """A new token, for the project."""
        return self.sign_in().headers["X-Subject-Token"]

    def sign_in(self) -> httpx.Response:
        """The whole answer with a new token; its lifetime and the catalogue are in the body."""
        user = {"name": self.username, "domain": {"id": _DOMAIN}, "password": self.password}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": self.project_name, "domain": {"id": _DOMAIN}}},
        }
        answer = httpx.post(
            f"{self.auth_url}/auth/tokens", json={"auth": auth}, timeout=30, verify=False, trust_env=False
        )
        return answer.raise_for_status()

    def clouds_entry(self, region: str = REGION) -> dict[str, Any]:
        """The entry below `clouds:` in clouds.yaml to act as this person."""
        auth = {
            "auth_url": self.auth_url,
            "username": self.username,
            "password": self.password,
            "project_name": self.project_name,
            "user_domain_id": _DOMAIN,
            "project_domain_id": _DOMAIN,
        }
        return {"auth": auth, "region_name": region}

    def variables(self, region: str = REGION) -> dict[str, str]:
        """The same as OS_ variables."""
        auth: dict[str, str] = self.clouds_entry()["auth"]
        return {f"OS_{key.upper()}": value for key, value in auth.items()} | {"OS_REGION_NAME": region}


class Identity:
    """Keystone as its administrator uses it."""

    def __init__(self, url: str) -> None:
        self.admin = Person(url, "", ADMIN, ADMIN_PASSWORD, "", ADMIN)
        self._number = itertools.count(1)
        self._client = httpx.Client(base_url=url, timeout=30, verify=False, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def project(self) -> tuple[str, str]:
        """The id and the name of a new project."""
        name = f"project-{next(self._number)}"
        return self._create("projects", {"name": name, "domain_id": _DOMAIN}), name

    def person(self, project_id: str, project_name: str, role: str) -> Person:
        """A new person with that role in that project."""
        username = f"{role}-{next(self._number)}"
        user_id = self._create("users", {"name": username, "password": _PASSWORD, "domain_id": _DOMAIN})
        self.grant(role, user_id, project_id)
        return Person(self.admin.auth_url, user_id, username, _PASSWORD, project_id, project_name)

    def grant(self, role: str, user_id: str, project_id: str) -> None:
        """Give someone a role in a project; the roles are admin, manager, member and reader."""
        [found] = self._ask("GET", f"/roles?name={role}").json()["roles"]
        self._ask("PUT", f"/projects/{project_id}/users/{user_id}/roles/{found['id']}")

    def region(self, name: str) -> None:
        """A new region, with nothing in it."""
        self._ask("PUT", f"/regions/{name}", json={"region": {}})

    def endpoint(self, kind: str, url: str, region: str = REGION) -> str:
        """The id of a new endpoint of the one service of that type, which is made where there is none.

        `$(project_id)s` in the URL is the caller's project.
        """
        found = self._ask("GET", f"/services?type={kind}").json()["services"]
        service = found[0]["id"] if found else self._create("services", {"type": kind, "name": kind})
        wish = {"service_id": service, "interface": "public", "url": url, "region_id": region}
        return self._create("endpoints", wish)

    @contextmanager
    def offering(self, kind: str, url: str, region: str) -> Iterator[None]:
        """Such an endpoint for the length of a `with`."""
        endpoint = self.endpoint(kind, url, region)
        try:
            yield
        finally:
            self._ask("DELETE", f"/endpoints/{endpoint}")

    def application_credential(self, person: Person, name: str, expires_at: datetime | None = None) -> dict[str, str]:
        """The `auth` of clouds.yaml for a new application credential of that person."""
        wish = {"name": name} | ({} if expires_at is None else {"expires_at": f"{expires_at:%Y-%m-%dT%H:%M:%S.%f}"})
        made = self._ask(
            "POST",
            f"/users/{person.user_id}/application_credentials",
            json={"application_credential": wish},
            headers={"X-Auth-Token": person.token()},
        ).json()["application_credential"]
        return {
            "auth_url": person.auth_url,
            "application_credential_id": made["id"],
            "application_credential_secret": made["secret"],
        }

    def project_of(self, token: str) -> str | None:
        """The project that a token is for, None if it is invalid or has expired."""
        answer = self._client.get("/auth/tokens", headers={"X-Auth-Token": token, "X-Subject-Token": token})
        return str(answer.json()["token"]["project"]["id"]) if answer.status_code == 200 else None

    def _create(self, kind: str, wish: dict[str, Any]) -> str:
        word = kind.removesuffix("s")
        return str(self._ask("POST", f"/{kind}", json={word: wish}).json()[word]["id"])

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        answer = self._client.request(method, path, **rest)
        if answer.status_code == 401:
            self._client.headers["X-Auth-Token"] = self.admin.token()
            answer = self._client.request(method, path, **rest)
        return answer.raise_for_status()
