"""The Compute API v1.0: what each call reads from a request, asks of the account, and answers.

Every answer is HTTP 200 with the documented header, also to what the API does not know.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial

from starlette.responses import Response

from janitor.sandbox.account import Account
from janitor.sandbox.api import Asked, Endpoint, Reply
from janitor.sandbox.compute_v1 import wire
from janitor.sandbox.configuration import quoted
from janitor.sandbox.models import StoredImage, StoredInstance
from janitor.sandbox.options import Options
from janitor.sandbox.references import reference_endpoint
from janitor.sandbox.refusals import Kind, Refusal, Resource

_PREFIX = "/compute"
_APPKEYS = f"{_PREFIX}/v1.0/appkeys/"
_WITH_APPKEY = re.compile(f"^{re.escape(_APPKEYS)}[^/]*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GONE = ("deleted", "pending_delete")
_JSON = "application/json;charset=UTF-8"


class ComputeV1Rules:
    """The account's rules as on the vendor's page: own, unprotected images that no instance uses are deleted."""

    def deletion(self, image_id: str, image: StoredImage | None, user: StoredInstance | None) -> Refusal | None:
        """Why that image is not deleted, if it is not."""
        if image is None or image.status in _GONE:
            return self._malformed(image_id, image) or _no(Kind.ABSENT, f"image {image_id} could not be found")
        if image.is_public:
            return _no(Kind.FORBIDDEN, f"image {image_id} is public and cannot be deleted")
        if image.protected:
            return _no(Kind.FORBIDDEN, f"image {image_id} is protected and cannot be deleted")
        return _no(Kind.CONFLICT, f"image {image_id} is in use by instance {user.id}") if user else None

    def marker(self, image_id: str, image: StoredImage | None) -> Refusal | None:
        """Why that image is not a marker, if it is not."""
        bad = _no(Kind.BAD_MARKER, f"no image found with id {image_id}")
        return None if image else self._malformed(image_id, image) or bad

    def instance(self, instance_id: str) -> Refusal:
        """What is said about an instance that does not exist."""
        if not _UUID.fullmatch(instance_id):
            return Refusal(Kind.MALFORMED, Resource.INSTANCE, "the instance id is not a UUID")
        return Refusal(Kind.ABSENT, Resource.INSTANCE, f"instance {instance_id} could not be found")

    def _malformed(self, image_id: str, image: StoredImage | None) -> Refusal | None:
        odd = image is None and not _UUID.fullmatch(image_id)
        return _no(Kind.MALFORMED, "the image id is not a UUID") if odd else None


def _no(kind: Kind, message: str) -> Refusal:
    return Refusal(kind, Resource.IMAGE, message)


class ComputeV1:
    """The API over one account. Each call makes the body of an answer to a request, or raises Refusal."""

    def __init__(self, account: Account, options: Options, origin: str) -> None:
        self.url = f"{origin}{_PREFIX}"
        self._account = account
        self._options = options
        self._writer = wire.Writer(options)
        self._writer.prepare(account.images.values())
        self._detailed = self._detail(account.list_instances())
        self.endpoints = (
            self._endpoint("issue-token", "POST", "/tokens", self.issue_token),
            self._endpoint("show-token", "GET", "/tokens", self.show_token),
            self._endpoint("list-images", "GET", "/images", self.list_images),
            self._endpoint("delete-image", "DELETE", "/images", self.delete_image),
            self._endpoint("list-instances", "GET", "/instances", self.list_instances),
            self._endpoint("detail-instances", "GET", "/instances-detail", self.detail_instances),
            self._endpoint("act-on-instance", "POST", "/instances/{instance}/action", self.act_on_instance),
            reference_endpoint(account, options),
            Endpoint("unknown", None, "/{path:path}", account, partial(self._reply, self.refuse), _failure),
        )

    def _endpoint(self, name: str, method: str, path: str, call: Callable[[Asked], bytes]) -> Endpoint:
        listed = {"list-images": "images", "list-instances": "instances", "detail-instances": "instances"}.get(name)
        return Endpoint(
            name,
            method,
            f"{_APPKEYS}{{appkey}}{path}",
            self._account,
            partial(self._reply, self._admitting(name, call)),
            _failure,
            image=lambda asked: asked.query.get("id") if name == "delete-image" else None,
            nothing=(lambda _asked: _json(wire.body(**{listed: []}))) if listed else None,
            opening=wire.OPENING if name == "list-images" else None,
        )

    def _admitting(self, name: str, call: Callable[[Asked], bytes]) -> Callable[[Asked], bytes]:
        def admitted(asked: Asked) -> bytes:
            if asked.path["appkey"] != self._options.appkey:
                raise Refusal(Kind.DENIED, Resource.ACCOUNT, "no such appkey")
            if name not in ("issue-token", "show-token"):
                self._account.admit(asked.headers.get("x-auth-token"))
            return call(asked)

        return admitted

    def _reply(self, call: Callable[[Asked], bytes], asked: Asked) -> Reply:
        try:
            return Reply(0, _json(call(asked)))
        except Refusal as refusal:
            code = wire.refusal_code(refusal, self._options.absent)
            return Reply(code, _json(wire.refusal_body(refusal, code)))

    def shown(self, path: str) -> str:
        """The path without the appkey."""
        return _WITH_APPKEY.sub("", path)

    def target(self, name: str) -> str:
        """The account as a target of a janitor.yaml."""
        return compute_v1_target(self._options, self.url.removesuffix(_PREFIX), name)

    def issue_token(self, asked: Asked) -> bytes:
        """POST /tokens."""
        auth = _mapping(_read(asked.body).get("auth"), "auth")
        token = self._account.sign_in(_text(auth, "username"), _text(auth, "password"))
        return wire.body(access=wire.access(token.moved(asked.clock_off), self._options.username))

    def show_token(self, asked: Asked) -> bytes:
        """GET /tokens?id=."""
        token = self._account.token(_text(asked.query, "id"))
        return wire.body(access=wire.access(token.moved(asked.clock_off), self._options.username))

    def list_images(self, asked: Asked) -> bytes:
        """GET /images?limit=&marker=."""
        marker = asked.query.get("marker")
        page = self._account.page(_limit(asked.query.get("limit")), marker and _in_lower_case(marker))
        return self._writer.images(page)

    def delete_image(self, asked: Asked) -> bytes:
        """DELETE /images?id=."""
        self._account.delete_image(_in_lower_case(_text(asked.query, "id")))
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
        """These instances, and the answer that lists them; cached, as writing it again takes longer than reading it."""
        return instances, wire.body(instances=[self._writer.instance(instance) for instance in instances])

    def act_on_instance(self, asked: Asked) -> bytes:
        """POST /instances/{id}/action: only the action uploadImage."""
        document = _read(asked.body)
        if _text(document, "action") != "uploadImage":
            raise Refusal(Kind.UNSUPPORTED, Resource.INSTANCE, "the sandbox knows the action uploadImage only")
        name = _text(_mapping(document.get("parameters"), "parameters"), "name")
        image = self._account.upload_image(asked.path["instance"], name)
        return wire.body(createdImage={"id": image.id, "name": image.name})

    def refuse(self, _asked: Asked) -> bytes:
        """Any other path or method. Not -5: a deletion would take that for an image that is gone."""
        raise Refusal(Kind.UNSUPPORTED, Resource.ACCOUNT, "no such path or method in the Compute API v1.0")


def compute_v1_target(options: Options, origin: str, name: str) -> str:
    """An account at that origin as a target of a janitor.yaml."""
    return f"""\
  - name: {quoted(name)}
    api: toast                     # Compute API v1.0
    endpoint: {quoted(f"{origin}{_PREFIX}")}
    appkey: {quoted(options.appkey)}
    username: {quoted(options.username)}
    password: {quoted(options.password)}   # opens nothing but this sandbox; a real one belongs in the environment
"""


def _json(body: bytes) -> Response:
    return Response(body, media_type=_JSON)


def _in_lower_case(image_id: str) -> str:
    """An id as the account has it; the vendor's page does not say that ids must be in lower case."""
    return image_id.lower() if _UUID.fullmatch(image_id) else image_id


def _failure(_asked: Asked, code: int) -> Response:
    return _json(wire.failure_body(code, "a fault of the sandbox"))


def _read(text: bytes) -> Mapping[str, object]:
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
