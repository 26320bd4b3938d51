"""Headless Chromium, driven through its DevTools protocol over a pipe: real clicks, what stands there, pictures.

    with browsing(folder) as page:
        page.open(slack.address)
        page.click("button", "Keep 7 days")
        page.wait_for("document.querySelector('#said').textContent === 'acknowledged'")

`python -m tests.browser install` installs Debian's Chromium where it is missing and that is possible, and says so.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",  # it shows pages of loopback only, and root, who runs tests in containers, has no other way
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--remote-debugging-pipe",
)
_MOVED = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in enumerate(ends, 3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Runs a command whose descriptors 3 and 4, on which the protocol takes place, are the two given ones."""
_PATIENCE_MS = 20_000
_MARGIN = 10


class Unavailable(Exception):
    """There is no Chromium: why not, in a sentence."""


def chromium() -> str:
    """The command. Raises Unavailable."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise Unavailable("Chromium is not installed: make test-page installs Debian's where that is possible")
    return found


class Page:
    """A page of the browser. Every dialog that it opens is accepted, and kept in `asked`."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands = commands
        self._answers = answers
        self._numbers = count(1)
        self._session: str | None = None
        self.asked: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command, after what happened meanwhile."""
        number = self._send(method, parameters)
        while True:
            said = self._read()
            if said.get("id") == number:
                assert "error" not in said, f"{method}: {said['error']}"
                return dict(said["result"])
            self._notice(said)

    def open(self, address: str, width: int = 1_000, height: int = 900) -> None:
        """Go to an address, and wait until the page has loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=address)
        self.wait_for(f"location.href.startsWith({json.dumps(address)}) && document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        told = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, f"{expression}: {told['exceptionDetails']}"
        return told["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression holds."""
        held = self.ask(
            f"""new Promise((resolve) => {{
                const end = Date.now() + {_PATIENCE_MS};
                const look = () => ({expression}) ? resolve(true)
                    : Date.now() > end ? resolve(false) : setTimeout(look, 10);
                look();
            }})"""
        )
        assert held, f"{expression} did not become true; the page reads: {self.text()}"

    def text(self) -> str:
        """All that can be read."""
        return str(self.ask("document.body.innerText"))

    def click(self, selector: str, label: str) -> None:
        """Click the middle of the first element that has this label, as a mouse does."""
        self.wait_for(f"{_element(selector, label)} !== undefined")
        x, y = self.ask(
            f"""(() => {{
                const element = {_element(selector, label)};
                element.scrollIntoView({{block: "center"}});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def choose(self, selector: str, label: str) -> None:
        """Choose the option with this label in the first menu that has one."""
        self.ask(
            f"""(() => {{
                const option = {_element(f"{selector} option", label)};
                const menu = option.closest("select");
                menu.value = option.value;
                menu.dispatchEvent(new Event("change", {{bubbles: true}}));
            }})()"""
        )

    def picture(self, selector: str | None = None) -> bytes:
        """A PNG of the first such element, or else of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        if selector is not None:
            box = self.ask(
                f"""(() => {{
                    const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
                    const [x, y] = [box.x + scrollX - {_MARGIN}, box.y + scrollY - {_MARGIN}];
                    return {{x, y, width: box.width + 2 * {_MARGIN}, height: box.height + 2 * {_MARGIN}}};
                }})()"""
            )
            clip |= box
        taken = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        number = next(self._numbers)
        session = {} if self._session is None else {"sessionId": self._session}
        message = {"id": number, "method": method, "params": parameters, **session}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        return number

    def _read(self) -> dict[str, Any]:
        octets = bytearray()
        while (octet := self._answers.read(1)) != b"\0":
            assert octet, "Chromium ended"
            octets += octet
        return dict(json.loads(octets))

    def _notice(self, said: dict[str, Any]) -> None:
        match said.get("method"):
            case "Page.javascriptDialogOpening":
                self.asked.append(said["params"]["message"])
                self._send("Page.handleJavaScriptDialog", {"accept": True})
            case "Runtime.exceptionThrown" | "Log.entryAdded":
                self.complaints.append(json.dumps(said["params"]))


def _element(selector: str, label: str) -> str:
    """The JavaScript for the first element of that kind with that label."""
    wanted, kind = json.dumps(label), json.dumps(selector)
    return f"[...document.querySelectorAll({kind})].find((one) => one.textContent.trim() === {wanted})"


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """A page of a Chromium that has its profile in this folder. Raises Unavailable."""
    command = chromium()
    (our_end, commands), (answers, its_end) = os.pipe(), os.pipe()
    moved = (sys.executable, "-c", _MOVED, str(our_end), str(its_end))
    words = (*moved, command, *_OPTIONS, f"--user-data-dir={folder}", "about:blank")
    silent = subprocess.DEVNULL
    with (
        subprocess.Popen(
            words, pass_fds=(our_end, its_end), stdin=silent, stdout=silent, stderr=silent, start_new_session=True
        ) as process,
        os.fdopen(commands, "wb") as write,
        os.fdopen(answers, "rb") as read,
    ):
        os.close(our_end)
        os.close(its_end)
        try:
            yield Page(write, read)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def install() -> int:
    """Install Debian's Chromium if there is none and this is possible; says what was done."""
    try:
        print(f"{chromium()} is here")
        return 0
    except Unavailable:
        pass
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("CHROMIUM IS MISSING, and only root with apt-get could install it")
        return 0
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(("apt-get", "update", "-q"), env=quiet, check=False)
    words = ("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk")
    if subprocess.run(words, env=quiet, check=False).returncode:
        print("CHROMIUM IS MISSING, and apt-get could not install it")
    return 0


if __name__ == "__main__":
    sys.exit(install())
