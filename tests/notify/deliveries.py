"""Results of runs to deliver, and the state of their reports."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from janitor.config import Settings, load_settings
from janitor.core.decision import Reason, Verdict
from janitor.core.policy import Match, Policy
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.notify.channels import SCHEMAS
from janitor.store import Store
from tests.factories import NOW, make_deletion, make_run, make_target, to_delete, to_keep
from tests.new_database import new_database
from tests.slack_stand_in import Posted, Reply

Configure = Callable[..., Settings]
TARGET = "{name: prod, endpoint: 'http://127.0.0.1:1', appkey: a, username: u, password: secret-password}"
TEAM = "#team-web"
WEB = Policy("web-images", Match(), channel=TEAM)
CI = Policy("ci-images", Match())
GONE = Reply(410, "channel_is_archived")


def settings_of(folder: Path, text: str) -> Settings:
    """The settings that janitor.yaml holds once it is this text and a target."""
    path = folder / "janitor.yaml"
    path.write_text(f"targets: [{TARGET}]\n{text}", encoding="utf-8")
    return load_settings(path, {}, lambda: SCHEMAS)


def run_of(
    settings: Settings, *targets: TargetResult, at: datetime = NOW, owes_report: bool = False, **parts: Any
) -> RunResult:
    """The result of a live run that is in the database."""
    result = make_run(*targets, mode=Mode.DELETE, started_at=at, finished_at=at + timedelta(minutes=1), **parts)
    with Store.open(settings.database if settings.database.exists() else new_database(settings.database)) as store:
        result = replace(result, run=store.begin_run(Mode.DELETE, at, owes_report=owes_report))
        store.finish_run(replace(result, targets=()))
    return result


def deleting(count: int, policy: str = "ci-images", target: str = "prod") -> TargetResult:
    decisions = [to_delete(f"{policy}-{number}", policy=policy) for number in range(count)]
    return make_target(decisions, [make_deletion(decision) for decision in decisions], name=target)


def announcing(*names: str, policy: str = "ci-images") -> TargetResult:
    due = NOW + timedelta(days=2)
    waits = [to_keep(name, Reason.NOTICE, verdict=Verdict.WAIT, policy=policy, due=due) for name in names]
    return make_target(waits, announced=tuple(waits))


def names_of(*targets: TargetResult) -> frozenset[tuple[str, str]]:
    return frozenset((target.target, decision.image.id) for target in targets for decision in target.to_delete)


def waiting(settings: Settings) -> int:
    with Store.open(settings.database) as store:
        return len(store.undelivered())


def shown(posted: list[Posted]) -> str:
    return "\n".join(message.shown for message in posted)
