"""How each OpenStack service reports errors: Glance in HTML or JSON, as requested, the others in their own JSON."""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from http import HTTPStatus

from starlette.responses import Response

from janitor.sandbox.api import Asked, Reply
from janitor.sandbox.refusals import Kind, Refusal
from janitor.sandbox.texts import dumped

JSON = "application/json"
_STATUSES = {
    Kind.DENIED: 401,
    Kind.BAD_CREDENTIALS: 401,
    Kind.MALFORMED: 400,
    Kind.BAD_MARKER: 400,
    Kind.UNREADABLE_BODY: 400,
    Kind.ABSENT: 404,
    Kind.NOT_ACCEPTABLE: 406,
    Kind.FORBIDDEN: 403,
    Kind.CONFLICT: 409,
    Kind.UNSUPPORTED: 405,
    Kind.BROKEN: 500,
}
_UNAUTHENTICATED = "The request you have made requires authentication."
_NO_ACCESS = (
    "This server could not verify that you are authorized to access the document you requested. Either you supplied "
    "the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials "
    "required."
)
_PAGE = """<html>
 <head>
  <title>{0}</title>
 </head>
 <body>
  <h1>{0}</h1>
  {1}<br /><br />



 </body>
</html>"""
_FAULTS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    429: "overLimit",
    503: "serviceUnavailable",
}

Failing = Callable[[Asked, int, str], Response]
"""Makes the answer with a status and a message."""


def answering(call: Callable[[Asked], Response], fail: Failing) -> Callable[[Asked], Reply]:
    """The call for an endpoint: refusals become the service's own errors."""

    def answer(asked: Asked) -> Reply:
        try:
            return Reply(0, call(asked))
        except Refusal as refusal:
            status = _STATUSES[refusal.kind]
            return Reply(status, fail(asked, status, str(refusal)))

    return answer


def said(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A successful answer in JSON, with the id that every request has."""
    return Response(dumped(value), status, {**request_id(), **(headers or {})}, media_type=JSON)


def done() -> Response:
    """A successful answer without a body."""
    return Response(status_code=204, headers=request_id(), media_type="text/html")


def image_service(identity: str) -> Failing:
    """As Glance does behind Keystone at that URL; its error texts come from webob."""
    return partial(_glance, {"WWW-Authenticate": f'Keystone uri="{identity}"'})


def _glance(challenge: Mapping[str, str], asked: Asked, status: int, message: str) -> Response:
    title = _phrase(status)
    whole = f"{status} {title}"
    headers = challenge if status == 401 else request_id()
    message = _NO_ACCESS if status == 401 else message
    match _preferred(asked.headers.get("accept", "")):
        case "html":
            return Response(_PAGE.format(whole, escape(message)), status, headers, media_type="text/html")
        case "json":
            body = {"message": f"{message}<br /><br />\n\n\n", "code": whole, "title": title}
            return Response(json.dumps(body), status, headers, media_type=JSON)
        case _:
            return Response(f"{whole}\n\n{message}\n\n   ", status, headers, media_type="text/plain")


def _preferred(accept: str) -> str:
    ranges = [part.partition(";")[0].strip() for part in accept.split(",")]
    return next((_OFFERS[part] for part in ranges if part in _OFFERS), "text")


_OFFERS = {"text/html": "html", "*/*": "html", "text/*": "html", "application/json": "json", "application/*": "json"}


def identity_service(identity: str) -> Failing:
    """As Keystone does."""
    return partial(_keystone, {"WWW-Authenticate": f'Keystone uri="{identity}"'})


def _keystone(challenge: Mapping[str, str], _asked: Asked, status: int, message: str) -> Response:
    body = {"code": status, "message": _UNAUTHENTICATED if status == 401 else message, "title": _phrase(status)}
    return said({"error": body}, status, challenge if status == 401 else None)


def other_service(identity: str) -> Failing:
    """As Nova and Cinder do."""
    return partial(_nova, identity_service(identity))


def _nova(unauthenticated: Failing, asked: Asked, status: int, message: str) -> Response:
    if status == 401:
        return unauthenticated(asked, status, message)
    name = _FAULTS.get(status, "computeFault" if status >= 500 or status == 406 else "badRequest")
    return said({name: {"code": status, "message": message}}, status)


def cluster_service(identity: str) -> Failing:
    """As Magnum does."""
    return partial(_magnum, identity_service(identity))


def _magnum(unauthenticated: Failing, asked: Asked, status: int, message: str) -> Response:
    if status == 401:
        return unauthenticated(asked, status, message)
    error = {"request_id": "", "code": "client", "status": status, "title": message, "detail": message, "links": []}
    return said({"errors": [error]}, status)


def stack_service(identity: str) -> Failing:
    """As Heat does."""
    return partial(_heat, identity_service(identity))


def _heat(unauthenticated: Failing, asked: Asked, status: int, message: str) -> Response:
    if status == 401:
        return unauthenticated(asked, status, message)
    error = {"message": message, "traceback": None, "type": "EntityNotFound" if status == 404 else "HTTPException"}
    phrase = _phrase(status)
    return said({"code": status, "title": phrase, "explanation": f"{phrase}.", "error": error}, status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def request_id() -> dict[str, str]:
    """The header by which a request is found in the service's logs."""
    return {"x-openstack-request-id": f"req-{uuid.uuid4()}"}
