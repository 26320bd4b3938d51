"""slack-sdk's clients, which build messages and calls, over our own transport.

Only public methods of slack-sdk are overridden, with the same meaning, so that nothing is sent by its own means, which
follow redirects with the token, read without bounds, and take proxies from the environment.
"""

import json as json_
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from slack_sdk import WebClient, WebhookClient
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookResponse

from janitor.transport import Call, Reply

Send = Callable[[Call], Reply]

_JSON = {"Content-Type": "application/json;charset=utf-8"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Webhook(WebhookClient):
    """An incoming webhook."""

    def __init__(self, url: str, send: Send) -> None:
        super().__init__(url, logger=silent(), retry_handlers=[])
        self._send = send

    def send_dict(self, body: dict[str, Any], headers: dict[str, str] | None = None) -> WebhookResponse:
        """The answer, whatever it is. Raises what `send` raises."""
        content = json_.dumps(_given(body)).encode()
        reply = self._send(Call("webhook", "POST", self.url, headers={**_JSON, **(headers or {})}, body=content))
        text = reply.body.decode(errors="replace")
        return WebhookResponse(url=self.url, status_code=reply.status, body=text, headers=dict(reply.headers))


class Bot(WebClient):
    """The Web API, as the bot whose token this is."""

    def __init__(self, token: str, base_url: str, send: Send) -> None:
        super().__init__(token, base_url, logger=silent(), retry_handlers=[])
        self._send = send

    def api_call(
        self,
        api_method: str,
        *,
        http_verb: str = "POST",  # noqa: ARG002 - the signature is slack-sdk's; all methods take POST
        files: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        json: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: dict[str, Any] | None = None,
    ) -> SlackResponse:
        """The answer, whatever it is; `data` is the body's bytes. Raises what `send` raises."""
        assert not files, "no call of this program has files"
        assert not auth, "no call of this program has credentials of its own"
        if json is not None:
            kind, content = _JSON, json_.dumps(_given(json))
        else:
            kind, content = _FORM, urlencode({key: _form(value) for key, value in _given(data or params or {}).items()})
        url = f"{self.base_url}{api_method}"
        sent = {**kind, **(headers or {}), "Authorization": f"Bearer {self.token}"}
        reply = self._send(Call(api_method, "POST", url, headers=sent, body=content.encode()))
        return SlackResponse(
            client=self,
            http_verb="POST",
            api_url=url,
            req_args={},
            data=reply.body,
            headers=dict(reply.headers),
            status_code=reply.status,
        )


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _form(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def silent() -> logging.Logger:
    """A logger that writes nothing: slack-sdk logs URLs and bodies."""
    return logging.Logger("slack_sdk", logging.CRITICAL + 1)
