"""Who began a run: a person, or what the system shows to be a job."""

from pathlib import Path

import pytest

from janitor.config.operator import begun_by

TREES = {
    "shell": (("bash", "sshd"), {}, "by hand"),
    "cron": (("sh", "cron", "systemd"), {}, "by a job"),
    "kubernetes": (("sh",), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "by a job"),
    "pipeline": (("sh",), {"GITLAB_CI": "true"}, "by a job"),
    "unknown": ((), {}, "by hand"),
}


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.config.operator._on_terminal", lambda: False)
    monkeypatch.setattr("janitor.config.operator.os.getppid", lambda: 100)


def processes(folder: Path, names: tuple[str, ...]) -> Path:
    """A /proc in which each of these processes was started by the next one."""
    for number, name in enumerate(names):
        parent = 101 + number if number + 1 < len(names) else 0
        (folder / str(100 + number)).mkdir()
        (folder / str(100 + number) / "status").write_text(f"Name:\t{name}\nPPid:\t{parent}\n")
    return folder


@pytest.mark.parametrize(("names", "environ", "how"), TREES.values(), ids=TREES.keys())
def test_a_run_is_begun_by_hand_unless_the_system_shows_a_job(
    names: tuple[str, ...], environ: dict[str, str], how: str, tmp_path: Path
) -> None:
    assert begun_by(environ, processes(tmp_path, names)).startswith(f"{how}, ")


def test_a_terminal_is_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.config.operator._on_terminal", lambda: True)
    assert begun_by({"GITLAB_CI": "true"}, processes(tmp_path, ("cron",))).startswith("by hand, ")
