"""Pictures of Slack messages, for people to look at: `python -m tests.pictures OUT [MESSAGES.json …]`.

Each file holds one message, `{"text": …, "blocks": […], "replies": [a message, …]}`, or a list of them; the picture has
its name. Without a file, an example is taken. The embedded Slack refuses what Slack refuses, and so does this.
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from janitor.sandbox.slack.state import CHANNEL
from tests.browser import Page, Unavailable, browsing
from tests.sandbox.slack.messages import BLOCKS, client
from tests.slack_stand_in import SlackStandIn

Message = dict[str, Any]

EXAMPLE: Message = {
    "text": "ACTION: 7 images will be deleted",
    "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "ACTION: 7 images will be deleted"}}, *BLOCKS],
    "replies": [{"text": "web-41, web-42"}],
}


def picture(page: Page, messages: Iterable[Message]) -> bytes:
    """A PNG of a channel in which these were posted, each with its replies in its thread."""
    with SlackStandIn() as slack:
        web = client(slack)
        for message in messages:
            first = web.chat_postMessage(channel=CHANNEL, text=message["text"], blocks=message.get("blocks", []))
            for reply in message.get("replies", []):
                web.chat_postMessage(
                    channel=CHANNEL, thread_ts=first["ts"], text=reply["text"], blocks=reply.get("blocks", [])
                )
        page.open(slack.address)
        return page.picture(".channel")


def main(out: str, *files: str) -> int:
    """Make the pictures; exit code 1, and the reason, without a browser."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    named = {Path(file).stem: json.loads(Path(file).read_text("utf-8")) for file in files} or {"example": EXAMPLE}
    try:
        with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as page:
            for name, messages in named.items():
                made = picture(page, messages if isinstance(messages, list) else [messages])
                (folder / f"{name}.png").write_bytes(made)
                print(folder / f"{name}.png")
    except Unavailable as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
