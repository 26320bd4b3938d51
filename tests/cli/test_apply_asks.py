"""A reviewed plan that the configuration would not allow is applied only after a person confirms it."""

import re
from collections.abc import Callable

import pytest

from janitor.cli.commands.approving import agreed
from janitor.config import load_settings
from janitor.sandbox.server import Sandbox
from tests.cli.test_cli_trust import deletes
from tests.cli.test_terminal import Screen
from tests.conftest import POLICY, Desk
from tests.factories import GIB, make_image, make_run, make_target, to_delete

TWO_TARGETS = """\
targets:
  - {name: prod, api: toast, endpoint: "http://127.0.0.1:9", appkey: appkey-appkey, username: u, password: a-password}
  - {name: test, api: toast, endpoint: "http://127.0.0.1:9", appkey: appkey-other, username: u, password: a-password}
"""


def in_dry_run(desk: Desk) -> int:
    """Plan a run whose mode is dry-run; how many images it would delete."""
    config = (desk.folder / "janitor.yaml").read_text()
    desk.write("janitor.yaml", config.replace('mode: "delete"', "mode: dry-run"))
    target = desk.target("run")
    return sum(decision["verdict"] == "delete" for decision in target["decisions"])


def over_the_limit(desk: Desk) -> int:
    """Plan a run that a limit refuses; how many images it would delete."""
    config = (desk.folder / "janitor.yaml").read_text()
    desk.write("janitor.yaml", config.replace("max_deletions: 1000", "max_deletions: 1"))
    target = desk.target("run")
    return sum(decision["verdict"] == "delete" for decision in target["decisions"])


def test_in_mode_dry_run_and_without_a_terminal_a_plan_needs_a_yes(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    in_dry_run(sandbox_desk)
    surveyed = len(sandbox.requests)
    done = sandbox_desk.janitor("apply", "1")
    assert (done.returncode, done.stdout, len(sandbox.requests)) == (2, "", surveyed)
    assert "says mode: dry-run, and there is no terminal to ask at" in done.stderr
    assert "add --yes" in done.stderr


@pytest.mark.parametrize(
    ("planned", "reason"),
    [
        (in_dry_run, "says mode: dry-run; this deletes nevertheless."),
        (over_the_limit, "sandbox: {n} deletions planned, limits.max_deletions allows 1; this deletes nevertheless."),
    ],
    ids=["dry-run", "over-the-limit"],
)
@pytest.mark.parametrize(
    ("typed", "agreed"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("yep\n", False), ("\x04", False)],
    ids=["y", "yes", "nothing", "n", "something-else", "end-of-input"],
)
def test_a_person_at_a_terminal_is_asked(
    sandbox_desk: Desk, sandbox: Sandbox, planned: Callable[[Desk], int], reason: str, typed: str, *, agreed: bool
) -> None:
    number = planned(sandbox_desk)
    surveyed = len(sandbox.requests)
    code, shown = Screen(200).show(sandbox_desk, "apply", "1", typed=typed)

    assert reason.format(n=number) in shown
    assert re.search(
        rf"Delete {number} images \([\d.]+ [GT]iB( and \d+ of unknown size)?\) in sandbox\? \[y/N\] ", shown
    )
    assert (code, deletes(sandbox)) == ((0, number) if agreed else (1, 0))
    if not agreed:
        assert "Not applied: nothing was deleted." in shown
        assert len(sandbox.requests) == surveyed


@pytest.mark.parametrize("words", [("--yes",), ("--dry-run",), ("--dry-run", "--yes")], ids=" ".join)
def test_nobody_is_asked_who_said_so_beforehand(sandbox_desk: Desk, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    number = in_dry_run(sandbox_desk)
    code, shown = Screen(200).show(sandbox_desk, "apply", "1", *words)
    assert "[y/N]" not in shown
    assert (code, deletes(sandbox)) == (0, 0 if "--dry-run" in words else number)


def test_a_plan_within_the_limits_of_a_live_configuration_is_not_asked_about(
    sandbox_desk: Desk, sandbox: Sandbox
) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    code, shown = Screen(200).show(sandbox_desk, "apply", "1")
    assert ("[y/N]" not in shown, code, deletes(sandbox) > 0) == (True, 0, True)


def test_every_target_is_named_in_the_question(capsys: pytest.CaptureFixture[str], desk: Desk) -> None:
    sizes: dict[str, list[int | None]] = {"prod": [GIB, 2 * GIB], "test": [GIB, None]}
    planned = {name: [to_delete(make_image(str(size), size=size)) for size in some] for name, some in sizes.items()}
    run = make_run(*(make_target(decisions, name=name, owned=100) for name, decisions in planned.items()))
    desk.write("policies/old.yaml", POLICY)
    settings = load_settings(desk.write("janitor.yaml", TWO_TARGETS))
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "y"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("janitor.cli.commands.approving.can_ask", lambda: True)
        patch.setattr("janitor.cli.commands.approving.answer_to", ask)
        assert agreed(settings, run, planned)
    assert asked == ["Delete 2 images (3.0 GiB) in prod and 2 images (1.0 GiB and 1 of unknown size) in test? [y/N]"]
    assert "mode: dry-run" in capsys.readouterr().err
