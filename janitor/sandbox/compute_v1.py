"""The calls of the Compute API v1.0: what each reads from a request, asks of the account, and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from janitor.sandbox import wire
from janitor.sandbox.account import Account
from janitor.sandbox.options import Options
from janitor.sandbox.records import StoredInstance
from janitor.sandbox.refusals import Kind, Refusal, Resource


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request brings for the account."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class ComputeV1:
    """The calls of the API: each turns what was asked into the body of an answer, or raises Refusal."""

    def __init__(self, account: Account, options: Options) -> None:
        self._account = account
        self._options = options
        self._writer = wire.Writer(options)
        self._writer.prepare(account.images.values())
        self._detailed = self._detail(account.list_instances())

    def issue_token(self, asked: Asked) -> bytes:
        """POST /tokens."""
        auth = _mapping(_json(asked.body).get("auth"), "auth")
        token = self._account.sign_in(_text(auth, "username"), _text(auth, "password"))
        return wire.body(access=wire.access(token, self._options.username))

    def show_token(self, asked: Asked) -> bytes:
        """GET /tokens?id=."""
        token = self._account.token(_text(asked.query, "id"))
        return wire.body(access=wire.access(token, self._options.username))

    def list_images(self, asked: Asked) -> bytes:
        """GET /images?limit=&marker=."""
        page = self._account.page(_limit(asked.query.get("limit")), asked.query.get("marker"))
        return self._writer.images(page)

    def delete_image(self, asked: Asked) -> bytes:
        """DELETE /images?id=."""
        self._account.delete_image(_text(asked.query, "id"))
        return wire.body()

    def list_instances(self, asked: Asked) -> bytes:
        """GET /instances?id=."""
        found = self._account.list_instances(asked.query.get("id"))
        return wire.body(instances=[self._writer.brief_instance(instance) for instance in found])

    def detail_instances(self, asked: Asked) -> bytes:
        """GET /instances-detail?id=."""
        found = self._account.list_instances(asked.query.get("id"))
        if asked.query.get("id") is not None:
            return self._detail(found)[1]
        if found != self._detailed[0]:
            self._detailed = self._detail(found)
        return self._detailed[1]

    def _detail(self, instances: list[StoredInstance]) -> tuple[list[StoredInstance], bytes]:
        """These instances, and the answer that lists them; kept, as writing it anew takes longer than reading it."""
        return instances, wire.body(instances=[self._writer.instance(instance) for instance in instances])

    def act_on_instance(self, asked: Asked) -> bytes:
        """POST /instances/{id}/action: of all actions, uploadImage."""
        document = _json(asked.body)
        if _text(document, "action") != "uploadImage":
            raise Refusal(Kind.UNSUPPORTED, Resource.INSTANCE, "the sandbox knows the action uploadImage only")
        name = _text(_mapping(document.get("parameters"), "parameters"), "name")
        image = self._account.upload_image(asked.path["instance"], name)
        return wire.body(createdImage={"id": image.id, "name": image.name})

    def refuse(self, _asked: Asked) -> bytes:
        """Any other path or method. Not -5: a deletion would take that for an image that is gone."""
        raise Refusal(Kind.UNSUPPORTED, Resource.ACCOUNT, "no such path or method in the Compute API v1.0")


def _json(text: bytes) -> Mapping[str, object]:
    try:
        return _mapping(json.loads(text), "the body")
    except (ValueError, RecursionError) as error:
        raise Refusal(Kind.UNREADABLE_BODY, Resource.ACCOUNT, "the request body is not JSON") from error


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Refusal(Kind.MALFORMED, Resource.ACCOUNT, f"{name} is missing, or not an object")
    return value


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise Refusal(Kind.MALFORMED, Resource.ACCOUNT, f"{key} is missing, or not text")
    return value


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise Refusal(Kind.MALFORMED, Resource.IMAGE, "limit is not a positive whole number")
    return int(text)
