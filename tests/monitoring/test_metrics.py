"""What the metrics say about a run, and where they are available."""

import os
import re
import signal
import socket
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from janitor.config import load_settings
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.errors import UsageError
from janitor.monitoring import listening, standing
from janitor.monitoring.http_face import showing
from janitor.monitoring.metrics import last_ok_in, metrics_of, try_to_write, write_metrics
from janitor.monitoring.watch import Watch
from janitor.notify.file.lines import try_to_add
from janitor.sandbox.server import Sandbox
from janitor.shutdown import Stop
from janitor.store import Store
from tests.conftest import Desk
from tests.documentation import document
from tests.factories import DAY, GIB, NOW, make_deletion, make_image, make_run, make_target, to_delete, to_keep

END = NOW + timedelta(seconds=42)


def to_wait(name: str, age: timedelta, **facts: Any) -> Decision:
    return to_keep(make_image(name, age=age, **facts), Reason.NOTICE, verdict=Verdict.WAIT)


def values_in(text: str) -> dict[str, float]:
    """Each sample as one would write it in a query, labels in the order of their names, and its value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def values_of(registry: CollectorRegistry) -> dict[str, float]:
    return values_in(generate_latest(registry).decode())


# The values


def test_a_good_run() -> None:
    values = values_of(metrics_of(make_run(mode=Mode.DELETE), 0))

    assert values["janitor_last_run_timestamp_seconds"] == END.timestamp()
    assert values["janitor_last_good_run_timestamp_seconds"] == END.timestamp()
    assert values["janitor_last_run_number"] == 12
    assert values["janitor_last_run_duration_seconds"] == 42
    assert values["janitor_last_run_exit_code"] == 0
    assert values['janitor_last_run_mode{mode="delete"}'] == 1
    assert values['janitor_last_run_mode{mode="dry-run"}'] == 0


@pytest.mark.parametrize("outcome", Outcome)
def test_of_the_outcomes_exactly_one_holds(outcome: Outcome) -> None:
    values = values_of(metrics_of(make_run(make_target(outcome=outcome), outcome=outcome)))

    assert {o for o in Outcome if values[f'janitor_last_run_outcome{{outcome="{o}"}}']} == {outcome}
    assert {o for o in Outcome if values[f'janitor_target_outcome{{outcome="{o}",target="prod"}}']} == {outcome}


@pytest.mark.parametrize("outcome", [Outcome.PARTIAL, Outcome.REFUSED, Outcome.FAILED])
def test_a_run_that_is_not_ok_leaves_the_last_good_one(outcome: Outcome) -> None:
    run = make_run(outcome=outcome)

    assert values_of(metrics_of(run, 1, NOW - DAY))["janitor_last_good_run_timestamp_seconds"] == (
        (NOW - DAY).timestamp()
    )
    assert "janitor_last_good_run_timestamp_seconds" not in values_of(metrics_of(run, 1))


def test_images_and_bytes_by_target_and_verdict() -> None:
    doomed = [to_delete(make_image("a", size=GIB)), to_delete(make_image("b", size=2 * GIB))]
    prod = make_target([*doomed, to_keep(make_image("c", size=None)), to_wait("d", DAY, size=5)])
    values = values_of(metrics_of(make_run(prod, make_target([to_keep("e")], name="test"))))

    def by_verdict(name: str, target: str) -> list[float]:
        return [values[f'{name}{{target="{target}",verdict="{verdict}"}}'] for verdict in ("keep", "wait", "delete")]

    assert by_verdict("janitor_images", "prod") == [1, 1, 2]
    assert by_verdict("janitor_image_bytes", "prod") == [0, 5, 3 * GIB]
    assert by_verdict("janitor_images", "test") == [1, 0, 0]
    assert by_verdict("janitor_image_bytes", "test") == [10 * GIB, 0, 0]


def test_deletions_by_outcome() -> None:
    gone = [make_deletion(name, DeletionOutcome.DELETED) for name in "ab"]
    target = make_target([to_delete(name) for name in "abc"], [*gone, make_deletion("c", DeletionOutcome.REFUSED)])
    values = values_of(metrics_of(make_run(target)))

    assert {o: values[f'janitor_deletions{{outcome="{o}",target="prod"}}'] for o in DeletionOutcome} == {
        "deleted": 2,
        "accepted": 0,
        "already-gone": 0,
        "refused": 1,
        "failed": 0,
    }


@pytest.mark.parametrize(
    ("decisions", "age"),
    [
        pytest.param([to_wait("a", 2 * DAY), to_wait("b", 9 * DAY)], 9 * DAY + (END - NOW), id="the-oldest"),
        pytest.param([to_keep(make_image("a", age=99 * DAY)), to_wait("b", DAY)], DAY + (END - NOW), id="only-waiting"),
        pytest.param([to_keep("a"), to_delete("b")], timedelta(), id="none-waits"),
        pytest.param([to_wait("a", DAY, created_at=None)], timedelta(), id="undated"),
    ],
)
def test_the_age_of_the_oldest_image_that_waits(decisions: list[Decision], age: timedelta) -> None:
    values = values_of(metrics_of(make_run(make_target(decisions))))

    assert values['janitor_oldest_waiting_image_age_seconds{target="prod"}'] == age.total_seconds()


def test_a_target_that_could_not_be_surveyed_has_no_images_rather_than_none() -> None:
    values = values_of(metrics_of(make_run(make_target(outcome=Outcome.FAILED, error="no answer"))))

    assert {name.partition("{")[0] for name in values if "prod" in name} == {"janitor_target_outcome"}


def test_a_target_that_is_empty_has_none() -> None:
    values = values_of(metrics_of(make_run(make_target(seconds=1.5))))

    assert values['janitor_images{target="prod",verdict="keep"}'] == 0
    assert values['janitor_survey_duration_seconds{target="prod"}'] == 1.5


def test_a_name_cannot_break_out_of_its_label() -> None:
    name = 'a"} 1\njanitor_images 7\\'
    values = values_of(metrics_of(make_run(make_target([to_keep("x")], name=name))))

    assert values[f'janitor_images{{target="{name}",verdict="keep"}}'] == 1
    assert "janitor_images" not in values


def test_every_metric_is_documented() -> None:
    run = make_run(make_target([to_wait("a", DAY)], seconds=1.0))
    documented = set(re.findall(r"`(janitor_[a-z_]+)`", document("docs/operations.md")))

    names = {name.partition("{")[0] for name in values_of(metrics_of(run, 0))}
    assert names | standing.NAMES | listening.NAMES == documented


# The file


def test_the_file_is_replaced_as_a_whole_and_readable_for_all(tmp_path: Path) -> None:
    path = tmp_path / "janitor.prom"
    path.write_text("# HELP janitor_old x\n" * 10_000)
    path.chmod(0o600)
    with path.open() as reader:
        write_metrics(path, metrics_of(make_run()))
        assert reader.read() == "# HELP janitor_old x\n" * 10_000, "who reads the old one reads it to its end"

    assert values_in(path.read_text())["janitor_last_run_number"] == 12
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "janitor.prom").mkdir()
    with pytest.raises(IsADirectoryError):
        write_metrics(tmp_path / "janitor.prom", metrics_of(make_run()))

    assert [path.name for path in tmp_path.iterdir()] == ["janitor.prom"]


def made_by(kind: str, path: Path) -> None:
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        case "link-to-a-pipe":
            os.mkfifo(path.with_name("pipe"))
            path.symlink_to("pipe")
        case "link-to-itself":
            path.symlink_to(path.name)


KINDS = ["folder", "pipe", "socket", "link-to-a-pipe", "link-to-itself"]


def listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((path.name, path.lstat().st_ino, path.lstat().st_mode) for path in folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path, kind: str) -> None:
    made_by(kind, tmp_path / "janitor.prom")
    before = listing(tmp_path)
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
        write_metrics(tmp_path / "janitor.prom", metrics_of(make_run()))

    assert listing(tmp_path) == before
    assert last_ok_in(tmp_path / "janitor.prom") is None, "and reading it waits for nobody"


@pytest.mark.parametrize("exists", [True, False], ids=["to-a-file", "to-nothing-yet"])
def test_a_link_to_a_regular_file_is_followed_and_stays(tmp_path: Path, *, exists: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    there, link = tmp_path / "elsewhere/real.prom", tmp_path / "janitor.prom"
    if exists:
        there.write_text("# HELP janitor_old x\n")
    link.symlink_to("elsewhere/real.prom")
    write_metrics(link, metrics_of(make_run()))

    assert link.is_symlink()
    assert values_in(there.read_text())["janitor_last_run_number"] == 12
    assert [path.name for path in there.parent.iterdir()] == ["real.prom"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", [("check",), ("run",)], ids=" ".join)
def test_metrics_that_could_not_be_written_are_an_error_before_anything_begins(
    sandbox_desk: Desk, sandbox: Sandbox, kind: str, words: tuple[str, ...]
) -> None:
    sandbox_desk.amend("metrics_file: janitor.prom\n")
    made_by(kind, sandbox_desk.folder / "janitor.prom")
    before = listing(sandbox_desk.folder)
    done = sandbox_desk.janitor(*words)
    assert (done.returncode, done.stdout, sandbox.requests) == (2, "", ())
    assert re.search(r'janitor\.yaml:\d+: metrics_file: "janitor\.prom" cannot be replaced: ', done.stderr)
    assert listing(sandbox_desk.folder) == before


BELONGS = "belongs to the database, and would be overwritten"
AWAY = "move it away, or configure another name"
ANOTHER = "cannot be replaced: it is not a file of this program, and would be overwritten: " + AWAY


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("sandbox.db", BELONGS),
        ("./policies/../sandbox.db-wal", BELONGS),
        ("sandbox.db.lock", BELONGS),
        ("sandbox.db.mark", BELONGS),
        ("janitor.yaml", ANOTHER),
        ("policies/old.yaml", ANOTHER),
        ("infra/web.tf", ANOTHER),
    ],
)
def test_metrics_in_place_of_another_file_are_an_error(sandbox_desk: Desk, file: str, why: str) -> None:
    sandbox_desk.write("infra/web.tf", 'image = "ci-prod-base"')
    sandbox_desk.amend(f"metrics_file: {file}\n")
    before = {path: path.read_bytes() for path in sandbox_desk.folder.rglob("*") if path.is_file()}
    for command in ("check", "run"):
        done = sandbox_desk.janitor(command)
        assert done.returncode == 2
        assert done.stderr.endswith(f'metrics_file: "{file}" {why}\n')
    assert {path: path.read_bytes() for path in sandbox_desk.folder.rglob("*") if path.is_file()} == before


def test_a_temporary_file_is_none_that_a_collector_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(Path, "replace", lambda self, target: names.append(self.name))
    write_metrics(tmp_path / "janitor.prom", metrics_of(make_run()))

    assert [name.endswith(".prom") for name in names] == [False]


@pytest.mark.parametrize("content", ["", "x", "janitor_last_good_run_timestamp_seconds x\n", "\x00", None])
def test_the_last_good_run_of_a_file_that_tells_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "m.prom"
    if content is not None:
        path.write_text(content)

    assert last_ok_in(path) is None


def test_the_last_good_run_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "m.prom"
    write_metrics(path, metrics_of(make_run()))

    assert last_ok_in(path) == END


# As the command


def written(desk: Desk) -> dict[str, float]:
    return values_in((desk.folder / "metrics.prom").read_text())


def test_a_run_writes_what_it_did(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.amend("metrics_file: metrics.prom\n")
    assert sandbox_desk.janitor("run").returncode == 0
    values = written(sandbox_desk)
    deleted = sum(request.method == "DELETE" for request in sandbox.requests)

    assert values["janitor_last_run_exit_code"] == 0
    assert values['janitor_deletions{outcome="deleted",target="sandbox"}'] == deleted > 0
    assert sum(value for name, value in values.items() if name.startswith("janitor_images{")) == 120
    assert values['janitor_survey_duration_seconds{target="sandbox"}'] > 0


def test_a_failed_run_says_so_and_keeps_the_last_good_one(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.amend("metrics_file: metrics.prom\n")
    sandbox_desk.janitor("run")
    good = written(sandbox_desk)["janitor_last_good_run_timestamp_seconds"]
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace(sandbox.options.password, "not-the-password"))
    assert sandbox_desk.janitor("run").returncode == 1
    by_the_file = written(sandbox_desk)

    (sandbox_desk.folder / "metrics.prom").unlink()
    sandbox_desk.janitor("run")
    by_the_database = written(sandbox_desk)

    (sandbox_desk.folder / "metrics.prom").write_text(
        f"# HELP janitor_last_good_run_timestamp_seconds x\njanitor_last_good_run_timestamp_seconds {good!r}\n"
    )
    (sandbox_desk.folder / "sandbox.db").write_bytes(b"damaged" * 1000)
    sandbox_desk.janitor("run")
    without_a_database = written(sandbox_desk)

    for values in (by_the_file, by_the_database, without_a_database):
        assert values['janitor_last_run_outcome{outcome="failed"}'] == 1
        assert values["janitor_last_run_exit_code"] == 1
        assert values["janitor_last_good_run_timestamp_seconds"] == pytest.approx(good, abs=1e-3)
        assert values["janitor_last_run_timestamp_seconds"] > good


def test_a_file_that_cannot_be_written_is_logged_and_changes_nothing(sandbox_desk: Desk) -> None:
    sandbox_desk.amend("metrics_file: no/such/folder/metrics.prom\n")
    done = sandbox_desk.janitor("run", "--dry-run")

    assert done.returncode == 0
    assert "metrics-not-written file=" in done.stderr
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_says_whether_the_file_can_be_written(sandbox_desk: Desk) -> None:
    before = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.amend("metrics_file: no/such/metrics.prom\n")
    done = sandbox_desk.janitor("check")
    file = sandbox_desk.folder / "no/such/metrics.prom"
    assert f"metrics        failed: metrics cannot be written to {file}: No such file or directory\n" in done.stdout
    assert done.returncode == 1
    sandbox_desk.write("janitor.yaml", f"{before}metrics_file: metrics.prom\n")
    done = sandbox_desk.janitor("check")
    assert f"metrics        ok: metrics are written to {sandbox_desk.folder / 'metrics.prom'}\n" in done.stdout
    assert done.returncode == 0
    assert not (sandbox_desk.folder / "metrics.prom").exists()


def test_a_link_to_where_no_file_can_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.prom").symlink_to("missing/m.prom")
    for trial in (try_to_write, try_to_add):
        with pytest.raises(FileNotFoundError):
            trial(tmp_path / "m.prom")


# Over HTTP


def get(port: int, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10)


def test_the_face_shows_what_there_is_when_it_is_asked() -> None:
    run = 1

    def metrics() -> CollectorRegistry:
        return metrics_of(make_run(run=run))

    with showing("127.0.0.1", 0, metrics, lambda: None) as port:
        first = get(port, "/metrics")
        run = 2
        second = get(port, "/metrics")

    assert (first.status_code, first.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert [values_in(shown.text)["janitor_last_run_number"] for shown in (first, second)] == [1, 2]


def test_the_face_speaks_openmetrics_to_who_asks_for_it() -> None:
    with showing("127.0.0.1", 0, lambda: metrics_of(make_run()), lambda: None) as port:
        shown = get(port, "/metrics", accept="application/openmetrics-text; version=1.0.0")

    assert shown.headers["content-type"].startswith("application/openmetrics-text")
    assert shown.text.endswith("# EOF\n")


def test_health_follows_the_schedule() -> None:
    missed: datetime | None = None
    with showing("127.0.0.1", 0, CollectorRegistry, lambda: missed) as port:
        healthy = get(port, "/healthz")
        missed = datetime(2026, 11, 24, 3, tzinfo=UTC)
        unhealthy = get(port, "/healthz")
        others = [get(port, path).status_code for path in ("/", "/nothing")]

    assert (healthy.status_code, healthy.text) == (200, "ok\n")
    assert unhealthy.status_code == 503
    assert "2026-11-24T03:00:00Z" in unhealthy.text
    assert others == [404, 404]


def test_nobody_answers_afterwards() -> None:
    with showing("127.0.0.1", 0, CollectorRegistry, lambda: None) as port:
        get(port, "/healthz")
    with pytest.raises(httpx.ConnectError):
        get(port, "/healthz")


@pytest.mark.parametrize("host", ["127.0.0.1", "203.0.113.1"])
def test_an_address_that_cannot_be_had_is_a_usage_error(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        face = showing(host, port, CollectorRegistry, lambda: None)
        with pytest.raises(UsageError, match=f"port {port} of {host}"), face:
            pass


def test_a_service_that_starts_recalls_the_last_run(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    settings = load_settings(sandbox_desk.folder / "janitor.yaml", {})
    watch = Watch(settings, Stop())
    watch.recall()
    values = values_of(watch.metrics)

    with Store.open_existing(settings.database) as store:
        recorded = store.load_run(1)
    assert values["janitor_last_run_timestamp_seconds"] == recorded.finished_at.timestamp()
    assert values['janitor_images{target="sandbox",verdict="delete"}'] == len(recorded.targets[0].to_delete)
    assert "janitor_last_run_exit_code" not in values, "it is not recorded"


def test_a_service_without_a_past_has_no_metrics_yet(sandbox_desk: Desk) -> None:
    watch = Watch(load_settings(sandbox_desk.folder / "janitor.yaml", {}), Stop())
    watch.recall()

    assert values_of(watch.metrics) == {}


def test_serve_shows_its_face_until_it_ends(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    sandbox_desk.amend('schedule: "0 3 1 1 *"\n')
    process = subprocess.Popen(
        sandbox_desk.command("serve", "--metrics-port", "0", "--metrics-host", "127.0.0.1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **sandbox_desk.settings_for_process(),
    )
    assert process.stderr is not None
    try:
        [port] = re.findall(r"metrics-listening host=127\.0\.0\.1 port=(\d+)", process.stderr.readline())
        assert "next-run" in process.stderr.readline()
        assert values_in(get(int(port), "/metrics").text)["janitor_last_run_number"] == 1
        assert get(int(port), "/healthz").status_code == 200
        again = sandbox_desk.janitor("serve", "--metrics-port", port, "--metrics-host", "127.0.0.1")
        assert (again.returncode, "in use" in again.stderr) == (2, True)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors
