"""Runs that tests start: what a test does not name has its usual value, and what it names is set by its own name."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from janitor.cli import configuration, wiring
from janitor.config import Settings, load_settings
from janitor.config.policy_files import Rules
from janitor.core.basis import Basis
from janitor.core.planning.plan import Limits
from janitor.core.policy import Policy
from janitor.core.result import DeletionOutcome, Mode, RunResult
from janitor.core.survey.plausibility import Plausibility
from janitor.run import Run
from janitor.run.orders import Audience, Execution, RunStore, Site
from janitor.run.sites import Choice
from janitor.sandbox.server import Sandbox
from tests.factories import AMPLE, NOW, OLD
from tests.fakes import RecordingCloud


def settings_on(folder: Path, sandbox: Sandbox, *lines: str, mode: Mode, policies: str) -> tuple[Settings, Rules]:
    """The settings and rules of a configuration in this folder for a sandbox, with further lines and these policies."""
    text = sandbox.configuration(mode=mode.value, database="janitor.db", policies="policies.yaml")
    (folder / "janitor.yaml").write_text(text + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "policies.yaml").write_text(policies, encoding="utf-8")
    settings = load_settings(folder / "janitor.yaml", {})
    return settings, configuration.rules_of(settings)


def run_of(
    sites: Sequence[Site],
    policies: Sequence[Policy],
    store: RunStore,
    mode: Mode = Mode.DRY_RUN,
    limits: Limits | None = None,
    **parts: Any,
) -> Run:
    """A run; `parts` are those of its orders and of the values in them."""
    basis = {
        "exemptions": (),
        "zone": UTC,
        "usage_memory": timedelta(),
        "limits": limits or Limits(),
        "max_shrink": Plausibility().max_shrink,
        "accept_survey": False,
    }
    goes_by = Basis(policies=tuple(policies), **{**basis, **_of(Basis, parts)})
    execution, audience = Execution(**_of(Execution, parts)), Audience(**_of(Audience, parts))
    return Run(sites, goes_by, store, mode, execution=execution, audience=audience, **parts)


def run_over(
    store: RunStore,
    *clouds: RecordingCloud,
    mode: Mode = Mode.DELETE,
    limits: Limits = AMPLE,
    now: datetime = NOW,
    **rest: Any,
) -> RunResult:
    """One run over these clouds, as the targets t0, t1 and so on, under the usual policy."""
    sites = [Site(f"t{number}", lambda cloud=cloud: cloud) for number, cloud in enumerate(clouds)]  # type: ignore[misc]
    return run_of(sites, [OLD], store, mode, limits, clock=lambda: now, **rest).perform()


def perform(settings: Settings, rules: Rules, mode: Mode, choice: Choice, **parts: Any) -> RunResult:
    """Run once as configured; `parts` are those of what is asked, and of the surroundings."""
    request = wiring.RunRequest(mode, choice, **_of(wiring.RunRequest, parts))
    return wiring.perform(settings, rules, request, wiring.Surroundings(**parts))


def outcomes(result: RunResult) -> dict[str, DeletionOutcome]:
    """What became of each deletion, by the id of its image."""
    return {d.decision.image.id: d.outcome for target in result.targets for d in target.deletions}


def _of(kind: type[Any], parts: dict[str, Any]) -> dict[str, Any]:
    """Those of the parts that are fields of this kind of value; they are taken out."""
    return {each.name: parts.pop(each.name) for each in fields(kind) if each.name in parts}
