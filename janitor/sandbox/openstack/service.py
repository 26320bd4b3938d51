"""One OpenStack service of one region: its path, its errors, and who may call it."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from janitor.sandbox.account import Account
from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.openstack.errors import Failing, answering


@dataclass(frozen=True, slots=True)
class Service:
    """Makes the endpoints of a service at `root`, with its own errors."""

    root: str
    account: Account
    fail: Failing

    def endpoint(
        self,
        name: str,
        method: str | None,
        path: str,
        call: Callable[[Asked], Response],
        nothing: Callable[[Asked], Response] | None = None,
        opening: bytes | None = None,
    ) -> Endpoint:
        """A call that needs a valid token."""

        def admitted(asked: Asked) -> Response:
            self.account.admit(asked.headers.get("x-auth-token"))
            return call(asked)

        return self.open_endpoint(name, method, path, admitted, nothing, opening)

    def open_endpoint(
        self,
        name: str,
        method: str | None,
        path: str,
        call: Callable[[Asked], Response],
        nothing: Callable[[Asked], Response] | None = None,
        opening: bytes | None = None,
    ) -> Endpoint:
        """A call that needs no token."""
        return Endpoint(
            name,
            method,
            self.root + path,
            self.account,
            answering(call, self.fail),
            lambda asked, status: self.fail(asked, status, "a fault of the sandbox"),
            lambda asked: asked.path.get("image"),
            nothing,
            opening,
        )
