"""The walk through docs/policies.md, from an idea to a policy that deletes: done as it is written."""

import re
import shlex
import subprocess
from collections.abc import Iterator

from janitor.sandbox.configuration import slack_text
from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from tests.conftest import Desk
from tests.documentation import document
from tests.slack_stand_in import SlackStandIn

HEADING = "## From an idea to a policy that deletes\n"
BLOCK = re.compile(r"(?:(?P<file>[\w./]+\.yaml)`?:\n\n)?^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.S | re.M)
PASSES = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d UTC")
LEFT_OUT = "…"


def steps() -> Iterator[re.Match[str]]:
    walk = document("docs/policies.md").partition(HEADING)[2]
    return BLOCK.finditer(re.split(r"^## ", walk, flags=re.M)[0])


def unchanging(text: str) -> str:
    """The text without days and times of day."""
    return PASSES.sub("…", text)


def parts(shown: str) -> list[str]:
    """What is shown, between what is left out."""
    return [part for part in re.split(rf"^{LEFT_OUT}\n", shown, flags=re.M) if part]


def test_the_walk_can_be_done_as_it_is_written(desk: Desk) -> None:
    said = ""
    with SlackStandIn() as slack, running(Options(images=60)) as cloud:
        named = slack_text(slack.address, slack.base_url, slack.token, slack.app_token, next(iter(slack.channels)))
        for step in steps():
            if step["language"] == "yaml":
                desk.write(step["file"], step["text"])
            elif step["text"].startswith("janitor sandbox "):
                assert "--images 60 --slack " in step["text"]
                text = re.sub(r"^policies:.*$", "policies: policies", cloud.configuration(slack=named), flags=re.M)
                desk.write("janitor.yaml", text)
            elif step["language"] == "sh":
                said = "".join(typed(desk, line) for line in step["text"].splitlines())
            else:
                rest = unchanging(said)
                for part in parts(step["text"]):
                    assert unchanging(part) in rest
                    rest = rest.partition(unchanging(part))[2]
        assert sum(image.status == "active" for image in cloud.account.images.values()) < 60 - 10


def typed(desk: Desk, line: str) -> str:
    """What a command says; one that is no test succeeds. A person at the terminal says yes."""
    words = shlex.split(line) + (["--yes"] if line.startswith("janitor apply ") else [])
    if words[0] == "janitor":
        done = desk.janitor(*words[1:])
        assert done.returncode == 0 or words[1] == "test", done.stderr
        return done.stdout + done.stderr
    subprocess.run(words, cwd=desk.folder, check=True, timeout=30)
    return ""
