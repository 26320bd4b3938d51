"""The stack service over an account: stacks with their parameters and templates, as Heat shows them."""

from collections.abc import Mapping

from starlette.responses import Response

from janitor.sandbox.api import Asked
from janitor.sandbox.launchers import StoredStack
from janitor.sandbox.models import OURS
from janitor.sandbox.openstack.errors import request_id, said
from janitor.sandbox.openstack.images import zulu
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.refusals import Kind, Refusal, Resource

_OPENING = b'{"stacks":['
_LIST = "/v1/{project}/stacks"
_ONE = f"{_LIST}/{{name}}/{{stack}}"


class Stacks:
    """The stack service of one region."""

    def __init__(self, service: Service) -> None:
        self._account = service.account
        self.endpoints = (
            service.endpoint(
                "list-stacks", "GET", _LIST, self.list_stacks, lambda _asked: said({"stacks": []}), _OPENING
            ),
            service.endpoint("show-stack", "GET", f"{_LIST}/{{stack}}", self.find_stack),
            service.endpoint("show-stack", "GET", _ONE, self.show_stack),
            service.endpoint("show-template", "GET", f"{_ONE}/template", self.show_template),
        )

    def list_stacks(self, asked: Asked) -> Response:
        """GET /v1/{project}/stacks: newest first, nested ones only with show_nested.

        Without a limit all are listed. A marker that is not, or no longer, a stack means the beginning.
        """
        _own_project(asked)
        nested = _flag(asked.query.get("show_nested", "false"))
        stacks = [stack for stack in self._account.stacks.values() if nested or stack.parent is None]
        stacks.sort(key=lambda it: (it.created_at, it.id), reverse=True)
        ids = [stack.id for stack in stacks]
        marker = asked.query.get("marker", "")
        rest = stacks[ids.index(marker) + 1 :] if marker in ids else stacks
        return said({"stacks": [_stack(stack, asked) for stack in rest[: _limit(asked.query.get("limit"))]]})

    def find_stack(self, asked: Asked) -> Response:
        """GET /v1/{project}/stacks/{name or id}: the URL of the stack."""
        _own_project(asked)
        wanted = asked.path["stack"]
        for stack in self._account.stacks.values():
            if wanted in (stack.id, stack.name):
                return Response(status_code=302, headers={**request_id(), "Location": _address(stack, asked)})
        raise Refusal(Kind.ABSENT, Resource.STACK, f"The Stack ({wanted}) could not be found.")

    def show_stack(self, asked: Asked) -> Response:
        """GET /v1/{project}/stacks/{name}/{id}."""
        stack = self._stack(asked)
        known = {"OS::stack_id": stack.id, "OS::stack_name": stack.name, "OS::project_id": OURS}
        parameters = {**known, **stack.parameters}
        return said({"stack": {**_stack(stack, asked), "parameters": parameters, "outputs": [], "capabilities": []}})

    def show_template(self, asked: Asked) -> Response:
        """GET /v1/{project}/stacks/{name}/{id}/template."""
        return said(self._stack(asked).template)

    def _stack(self, asked: Asked) -> StoredStack:
        _own_project(asked)
        name, stack_id = asked.path["name"], asked.path["stack"]
        stack = self._account.stacks.get(stack_id)
        if stack is None or stack.name != name:
            message = f"The Stack ({name}/{stack_id}) could not be found."
            raise Refusal(Kind.ABSENT, Resource.STACK, message)
        return stack


def _own_project(asked: Asked) -> None:
    if asked.path["project"] != OURS:
        raise Refusal(Kind.FORBIDDEN, Resource.STACK, "You are not authorized to use this project.")


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        message = f'Unrecognized value "{text}" for "show_nested", acceptable values are: true, false'
        raise Refusal(Kind.MALFORMED, Resource.STACK, message)
    return text.lower() == "true"


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(Kind.MALFORMED, Resource.STACK, f"Only integer is allowed for limit: {text}")
    return int(text)


def _stack(stack: StoredStack, asked: Asked) -> Mapping[str, object]:
    return {
        "id": stack.id,
        "stack_name": stack.name,
        "description": "",
        "stack_status": stack.status,
        "stack_status_reason": f"Stack {stack.status.replace('_COMPLETE', ' completed successfully')}",
        "creation_time": zulu(stack.created_at),
        "updated_time": zulu(stack.updated_at) if stack.updated_at else None,
        "deletion_time": None,
        "stack_owner": None,
        "parent": stack.parent,
        "tags": None,
        "links": [{"rel": "self", "href": _address(stack, asked)}],
    }


def _address(stack: StoredStack, asked: Asked) -> str:
    base = f"http://{asked.headers.get('host', '')}{asked.url_path.partition('/v1/')[0]}"
    return f"{base}/v1/{OURS}/stacks/{stack.name}/{stack.id}"
