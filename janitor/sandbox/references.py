"""The document of launch templates, which names images: a use that no API of a cloud shows, and people declare."""

import secrets
from collections.abc import Mapping

from starlette.responses import Response

from janitor.sandbox.account import Account
from janitor.sandbox.api import Asked, Endpoint, Reply
from janitor.sandbox.options import Options
from janitor.sandbox.texts import dumped

PATH = "/references/launch-templates.json"
_JSON = "application/json"


def reference_endpoint(account: Account, options: Options) -> Endpoint:
    """The call that reads the document, with its own token."""
    wanted = f"Bearer {options.reference_token}".encode()

    def answer(asked: Asked) -> Reply:
        if secrets.compare_digest(asked.headers.get("authorization", "").encode("utf-8", "replace"), wanted):
            return Reply(0, Response(dumped(document(account.launch_templates)), media_type=_JSON))
        return Reply(401, _failure(asked, 401))

    return Endpoint("read-reference", "GET", PATH, account, answer, _failure)


def document(templates: Mapping[str, str]) -> Mapping[str, object]:
    """The document, with the launch templates by name."""
    return {
        "launch_templates": [
            {"name": name, "image": image, "flavor": "m2.c2m4", "key_name": "platform-team"}
            for name, image in templates.items()
        ]
    }


def _failure(_asked: Asked, code: int) -> Response:
    status = code if 400 <= code <= 599 else 500  # Compute API v1.0 has codes that are not HTTP statuses
    return Response(dumped({"errors": ["permission denied"]}), status, media_type=_JSON)
