"""Makes tests of policies from recorded runs, and says what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.cli.written_configuration import must_not_exist
from janitor.core.units import counted, some_of
from janitor.errors import ConfigurationError, UsageError
from janitor.escaping import visible

if TYPE_CHECKING:
    from datetime import tzinfo

    from janitor.config.policy_tests.recorded.choosing import Recorded
    from janitor.core.decision import Decision
    from janitor.core.names.pattern import Pattern
    from janitor.core.replay.inputs import Inputs
    from janitor.store import Store

OUTPUT = "--output"
_SHOWN = 10
_LEFT_OUT = "without ids, owners and users. Names, and tags and properties that policies ask for, are as they were."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images of a run are recorded: of a target, if one is named, and of names like this, if a pattern is."""

    run: int
    target: str | None = None
    name: "Pattern | None" = None


def must_be_a_new_test(file: Path) -> None:
    """Raises UsageError for a file that exists, and for a name that is not one of a test."""
    must_not_exist(file, OUTPUT)
    if not file.name.endswith((".test.yaml", ".test.yml")):
        raise UsageError(f"{OUTPUT}: {file} would be no test of policies: name it *.test.yaml or *.test.yml")


def recorded_test(store: "Store", wanted: Wanted, zone: "tzinfo") -> "Recorded":
    """The test of what a run decided on images of one target; the time of the run is shown in `zone`.

    Raises UsageError for a run that does not say enough, and for a choice of no image, or of several targets'.
    """
    from janitor.cloud.apis import wire_keys
    from janitor.config.policy_tests.recorded.choosing import recorded
    from janitor.core.replay.inputs import night_of
    from janitor.core.units import format_minute

    inputs = _only(store.inputs(wanted.run), wanted)
    place = f"run {wanted.run} of target {visible(inputs.target)}"
    if inputs.survey.usage.problem is not None:
        raise UsageError(f"{place} could not read what is in use, so it deleted nothing: name another run")
    basis, grounds, decisions = inputs.basis, inputs.grounds, store.decisions(wanted.run, inputs.target)
    if basis is None or grounds is None or inputs.history is None or not decisions:
        raise UsageError(f"{place} decided nothing, or did not record what on, as by an earlier version: name another")
    night = night_of(inputs, basis, grounds, wire_keys(inputs.api))
    heading = f"Recorded from {place}, {format_minute(night.now, zone)}; {_LEFT_OUT}"
    try:
        return recorded(night, basis, decisions, lambda image: _is_wanted(image.name, wanted), heading)
    except ConfigurationError as error:
        raise UsageError(f"{place} cannot be written as one test ({error}): choose fewer images by --name") from error


def _is_wanted(name: str | None, wanted: Wanted) -> bool:
    return wanted.name is None or (name is not None and wanted.name.matches(name) is True)


def _only(by_target: "dict[str, Inputs]", wanted: Wanted) -> "Inputs":
    """The inputs of the target that is meant. Raises UsageError for none, and where several are."""
    from janitor.documents.schema import suggestion

    names = ", ".join(map(visible, by_target)) or "none"
    if wanted.target is not None and wanted.target not in by_target:
        near = suggestion(wanted.target, by_target)
        known = near or f" (it surveyed {names})"
        raise UsageError(f'--target: run {wanted.run} did not survey "{visible(wanted.target)}"{known}')
    meant = [
        inputs
        for target, inputs in by_target.items()
        if wanted.target in (None, target)
        if any(_is_wanted(image.name, wanted) for image in inputs.survey.images)
    ]
    if not meant:
        raise UsageError(f"run {wanted.run} saw no such image (it surveyed {names})")
    if len(meant) > 1:
        several = ", ".join(visible(inputs.target) for inputs in meant)
        raise UsageError(f"run {wanted.run} saw such images in {several}: choose one by --target")
    return meant[0]


def remarks_on(recorded: "Recorded") -> list[str]:
    """What a person should know of a recorded test: what is in it, and what it does not repeat."""
    others = f", and {counted(recorded.others, 'other')} that these depend on" if recorded.others else ""
    remarks = [f"{counted(recorded.chosen)} recorded{others}; the test holds under the policies of that run."]
    if recorded.unlike:
        remarks.append(f"Not repeated, so anything is expected there: {_some(recorded.unlike)}.")
    return remarks


def _some(decisions: "Sequence[Decision]") -> str:
    return some_of([f"{visible(each.image.label)} ({each.verdict}: {each.reason})" for each in decisions], _SHOWN)
