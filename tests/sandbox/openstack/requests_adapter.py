"""Lets a `requests` session, such as keystoneauth's, reach a sandbox without sockets. Needs requests."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import httpx
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse


class SandboxAdapter(HTTPAdapter):
    """To be mounted on a session at a sandbox's `origin`, over the transport that came with it."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        super().__init__()
        self._transport = transport

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """What the sandbox answers. Raises what requests raises for silence, and for a connection that was closed."""
        try:
            answer = self._transport.handle_request(_as_httpx(request, timeout))
        except httpx.TimeoutException as error:
            raise requests.ReadTimeout(str(error), request=request) from error
        except httpx.TransportError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        headers = dict(answer.headers)
        body = BytesIO(answer.content)
        raw = HTTPResponse(body, headers, answer.status_code, reason=answer.reason_phrase, preload_content=False)
        return self.build_response(request, raw)


def _as_httpx(request: requests.PreparedRequest, timeout: Any) -> httpx.Request:
    read = timeout[1] if isinstance(timeout, tuple) else timeout
    content: Any = request.body
    headers: Any = list(request.headers.items())
    waiting = {"timeout": {"read": read}}
    return httpx.Request(
        request.method or "GET", request.url or "", headers=headers, content=content, extensions=waiting
    )
