"""The inputs of a run's decisions, read back: enough to repeat these decisions exactly."""

import json
from datetime import timedelta

from janitor.core.basis import Basis
from janitor.core.replay.inputs import Inputs
from janitor.core.survey import Survey
from janitor.store.basis import basis_at
from janitor.store.connection import Connection
from janitor.store.surveys.clocks import history_at
from janitor.store.surveys.recorded import latest_survey, survey_at, surveys_at
from janitor.store.trust.bindings import api_at
from janitor.store.trust.grounds import grounds_at


def inputs_at(db: Connection, run: int) -> dict[str, Inputs]:
    """The inputs of a run, by target: for each that it could survey, in the order of its report."""
    basis = basis_at(db, run)
    return {target: _inputs(db, run, target, survey, basis) for target, survey in surveys_at(db, run).items()}


def inputs_of(db: Connection, run: int, target: str) -> Inputs | None:
    """The inputs of a run's decisions on one target; None where it could not survey it."""
    survey = survey_at(db, run, target)
    return None if survey is None else _inputs(db, run, target, survey, basis_at(db, run))


def latest_inputs(db: Connection, target: str) -> tuple[int, Inputs] | None:
    """The latest run that surveyed a target, and the inputs of its decisions on it; None before the first."""
    run = latest_survey(db, target)
    inputs = None if run is None else inputs_of(db, run, target)
    return None if run is None or inputs is None else (run, inputs)


def _inputs(db: Connection, run: int, target: str, survey: Survey, basis: Basis | None) -> Inputs:
    memory = timedelta() if basis is None else basis.usage_memory
    return Inputs(
        target,
        _also_named(db, run, target),
        api_at(db, run, target),
        survey,
        history_at(db, run, target),
        basis,
        grounds_at(db, run, target, memory) if basis is not None else None,
    )


def _also_named(db: Connection, run: int, target: str) -> tuple[str, ...]:
    (names,) = db.execute("SELECT also_named FROM surveys WHERE run = ? AND target = ?", (run, target)).fetchone()
    return tuple(json.loads(names or "[]"))
