"""What `--help` says: every summary whole at 80 columns, and the formats that there are renderers for."""

import re
from collections.abc import Iterator

import click
import pytest

from janitor.cli.app import janitor
from janitor.cli.formats import REPORT, SHOWN
from janitor.cli.formats.answers import EXEMPTIONS, IMAGES
from tests.conftest import Desk

WIDTH = 80


def commands(group: click.Group, name: str = "janitor") -> Iterator[tuple[str, click.Command]]:
    yield name, group
    for each, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {each}")
        else:
            yield f"{name} {each}", command


ALL = dict(commands(janitor))


def help_of(name: str, width: int = WIDTH) -> str:
    command = ALL[name]
    with click.Context(command, info_name=name, terminal_width=width - 2) as context:
        return command.get_help(context)


@pytest.mark.parametrize("name", [name for name, command in ALL.items() if isinstance(command, click.Group)])
def test_every_summary_is_shown_whole(name: str) -> None:
    group = ALL[name]
    assert isinstance(group, click.Group)
    rows = help_of(name).partition("\nCommands:\n")[2].splitlines()
    shown = dict(re.findall(r"^  (\S+) +(\S.*)$", "\n".join(rows), re.MULTILINE))
    whole = {each: (command.help or "").strip().split("\n\n")[0] for each, command in group.commands.items()}
    assert shown == whole
    assert all(summary.endswith(".") and "\n" not in summary for summary in whole.values())
    narrow = " ".join(help_of(name, 40).partition("\nCommands:\n")[2].split())
    assert narrow == " ".join(f"{each} {whole[each]}" for each in sorted(whole))


@pytest.mark.parametrize("name", ALL)
def test_every_line_fits_the_terminal_and_every_option_is_explained(name: str) -> None:
    assert max(map(len, help_of(name).splitlines())) <= WIDTH
    with click.Context(ALL[name]) as context:
        options = [each for each in ALL[name].get_params(context) if isinstance(each, click.Option)]
    assert not [option.name for option in options if not option.help]


@pytest.mark.parametrize(
    ("name", "renderers"), [("run", REPORT), ("show", SHOWN), ("images", IMAGES), ("keep", EXEMPTIONS)]
)
def test_a_command_offers_the_formats_that_it_has_renderers_for(name: str, renderers: dict[str, object]) -> None:
    (option,) = (each for each in ALL[f"janitor {name}"].params if each.name == "form")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(renderers)


@pytest.mark.parametrize(("name", "words"), [("schema", "policies, tests, config"), ("completion", "bash, zsh, fish")])
def test_a_missing_word_is_asked_for_in_one_line(desk: Desk, name: str, words: str) -> None:
    done = desk.janitor(name)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f". Choose from: {words}")
