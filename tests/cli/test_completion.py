"""Completion offers what there is, in a real shell; it writes nothing, waits for nothing, and is silent if it fails."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from janitor.cli.app import janitor
from janitor.cli.completion import Kind, candidates
from janitor.cli.completion.candidates import candidates as offered
from janitor.clock import utc_now
from janitor.config.glance import glance_at
from janitor.core.result import Mode
from janitor.store import Store, exclusive
from janitor.store.history import peek
from tests.cli.test_help import ALL
from tests.conftest import Desk
from tests.factories import NOW, image_called, make_run, make_target, to_keep
from tests.notify.notices import record

CONFIG = """\
database: db/janitor.db
targets:
  - {name: prod, appkey: '${NOT_SET}', username: u, password_file: nowhere}
  - {name: 프로드, api: openstack}
"""
COMPLETED = Path(sys.executable).with_name("janitor")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration that no command accepts, and a database with two runs."""
    (tmp_path / "janitor.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "db").mkdir()
    with Store.open(tmp_path / "db/janitor.db") as store:
        ids = ["aa-1", "aa-2", "ab-3", "-x", "a;b", "a b", "$(reboot)", "a\nb", "a*", "웹-1", "a\u202eb", "a:b", "~"]
        decisions = [to_keep(image_called(word, name=f"name-of-{word}")) for word in ids]
        decisions.sort(key=lambda decision: decision.image.id)
        for _ in range(2):
            run = store.begin_run(Mode.DRY_RUN, NOW)
            target = make_target(decisions)
            record(store, run, target)
            store.finish_run(make_run(target, run=run))
    return tmp_path


def values(folder: Path, kind: Kind, begun: str = "") -> list[str]:
    return [value for value, _ in offered(kind, folder / "janitor.yaml", begun)]


# What is offered


def test_ids_names_runs_and_targets_are_those_of_the_database_and_the_configuration(folder: Path) -> None:
    assert values(folder, Kind.IMAGES) == ["aa-1", "aa-2", "ab-3", "웹-1"]
    assert values(folder, Kind.IMAGES, "aa") == ["aa-1", "aa-2"]
    assert values(folder, Kind.IMAGES, "aa-1x") == []
    assert values(folder, Kind.NAMED_IMAGES, "name-of-aa") == ["name-of-aa-1", "name-of-aa-2"]
    assert values(folder, Kind.RUNS) == ["2", "1"]
    assert offered(Kind.RUNS, folder / "janitor.yaml", "1") == [("1", "dry-run ok 2026-11-23")]
    assert values(folder, Kind.BEGINNINGS) == ["7d", "30d", "90d", "180d", "1y", "2026-11-23"]
    assert values(folder, Kind.BEGINNINGS, "2026") == ["2026-11-23"]
    assert values(folder, Kind.TARGETS) == ["prod", "프로드"]
    assert values(folder, Kind.TARGETS, "프") == ["프로드"]


def test_policies_and_exemptions_too(sandbox_desk: Desk) -> None:
    decisions = sandbox_desk.target("run", "--dry-run")["decisions"]
    image = decisions[0]["image"]
    sandbox_desk.janitor("keep", image, "--for", "30d", "--why", "a test", "--by", "kim")
    assert values(sandbox_desk.folder, Kind.POLICIES) == ["old"]
    assert values(sandbox_desk.folder, Kind.EXEMPT_IMAGES) == [image]
    sandbox_desk.janitor("unkeep", image)
    assert values(sandbox_desk.folder, Kind.EXEMPT_IMAGES) == []


@pytest.mark.parametrize("begun", ["", "a", "-", "$", "~", "a;", "a ", "'", "a\n", "%", "_"])
def test_no_value_has_a_sign_that_a_shell_reads_or_a_terminal_obeys(folder: Path, begun: str) -> None:
    for kind in Kind:
        for value, about in offered(kind, folder / "janitor.yaml", begun):
            assert not set(value) & set(" \t\n;&|<>()$`\\\"'*?[]#~=%!{}:@\u202e,"), (kind, value)
            assert not value.startswith("-")
            assert about.isprintable()
            assert "," not in about


def test_what_is_said_about_an_image_is_its_name_where_that_is_harmless(folder: Path) -> None:
    about = dict(offered(Kind.IMAGES, folder / "janitor.yaml", "aa"))
    assert about == {"aa-1": "name-of-aa-1", "aa-2": "name-of-aa-2"}


def test_there_are_never_too_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_MOST", 2)
    assert values(folder, Kind.IMAGES, "aa") == ["aa-1", "aa-2"]
    assert len(values(folder, Kind.NAMED_IMAGES)) == 2
    assert len(values(folder, Kind.TARGETS)) == 2


def test_the_configuration_that_is_named_before_counts(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("targets: [{name: other}]\n")
    assert values(folder, Kind.TARGETS) == ["prod", "프로드"]
    assert [value for value, _ in offered(Kind.TARGETS, tmp_path / "other.yaml", "")] == ["other"]
    assert glance_at(None, {"JANITOR_CONFIG": str(tmp_path / "other.yaml")}).targets == ("other",)


def test_every_argument_that_names_something_recorded_is_completed() -> None:
    recorded = {"images", "image", "number", "targets", "policies", "verdicts", "reasons", "order", "name", "other"}
    free = {"init", "images", "show", "test", "waiting"}  # whose `name` is anything
    named = [
        (f"{name}: {each.name}", each)
        for name, command in ALL.items()
        for each in command.params
        if each.name in recorded and not (each.name == "name" and name.split()[-1] in free)
    ]
    assert len(named) > 15
    assert not [place for place, each in named if each._custom_shell_complete is None]


# What it leaves alone


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def everything(folder: Path) -> list[list[str]]:
    return [values(folder, kind) for kind in Kind]


def test_nothing_is_written(folder: Path) -> None:
    before, names = state(folder), sorted(folder.rglob("*"))
    assert any(everything(folder))
    assert (state(folder), sorted(folder.rglob("*"))) == (before, names)


def test_nothing_is_written_while_a_run_holds_the_database_and_nothing_is_waited_for(folder: Path) -> None:
    database = folder / "db/janitor.db"
    with exclusive(database, "janitor run", utc_now()), Store.open(database) as store:
        store.begin_run(Mode.DELETE, NOW)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            before, names = state(folder), sorted(folder.rglob("*"))
            assert values(folder, Kind.RUNS) == ["3", "2", "1"]
            assert values(folder, Kind.IMAGES, "aa") == ["aa-1", "aa-2"]
            assert (state(folder), sorted(folder.rglob("*"))) == (before, names)


def test_an_old_database_is_not_upgraded(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "db/janitor.db")) as db:
        db.execute("DROP TABLE policy_texts")
    before = state(folder)
    assert values(folder, Kind.POLICIES) == []
    assert values(folder, Kind.RUNS) == ["2", "1"]
    assert state(folder) == before


# Where it fails


@pytest.mark.parametrize(
    "content", [b"", b"no database" * 1000, None, "pipe"], ids=["empty", "damaged", "none", "pipe"]
)
def test_without_a_database_there_is_only_what_the_configuration_says(
    tmp_path: Path, content: bytes | str | None
) -> None:
    (tmp_path / "janitor.yaml").write_text("targets: [{name: prod}]\n")
    if isinstance(content, bytes):
        (tmp_path / "janitor.db").write_bytes(content)
    elif content is not None:
        os.mkfifo(tmp_path / "janitor.db")
    before = sorted(tmp_path.iterdir())
    assert values(tmp_path, Kind.IMAGES) == values(tmp_path, Kind.RUNS) == []
    assert values(tmp_path, Kind.TARGETS) == ["prod"]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("text", ["", ": [", "- a\n", "targets: 1\n", "targets: [1, {name: 2}]\n", "\0"])
def test_a_configuration_that_says_nothing_offers_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "janitor.yaml").write_text(text)
    assert everything(tmp_path) == [[] for _ in Kind]


def test_a_search_that_takes_long_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peek, "_LONGEST", -1.0)
    monkeypatch.setattr(peek, "_STEPS_BETWEEN_LOOKS", 1)
    assert everything(folder)[0] == []


# In shells


def asked(desk: Desk, shell: str, words: str) -> "subprocess.CompletedProcess[str]":
    """What click's protocol gives for these words, of which the last is being typed."""
    each = words.split(" ")
    desk.environment = {
        "_JANITOR_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": each[-1] if shell == "fish" else str(len(each) - 1),
    }
    settings = desk.settings_for_process()
    return subprocess.run([COMPLETED], capture_output=True, check=False, **settings)


@pytest.mark.parametrize(
    ("shell", "shown"),
    [
        ("bash", "plain,2\nplain,1\n"),
        ("zsh", "plain\n2\ndry-run ok 2026-11-23\nplain\n1\ndry-run ok 2026-11-23\n"),
        ("fish", "plain,2\tdry-run ok 2026-11-23\nplain,1\tdry-run ok 2026-11-23\n"),
    ],
)
def test_each_shell_is_told_in_its_way(folder: Path, desk: Desk, shell: str, shown: str) -> None:
    done = asked(desk, shell, "janitor apply ")
    assert (done.returncode, done.stdout, done.stderr) == (0, shown, "")


@pytest.mark.parametrize("words", ["janitor show ", "janitor explain a", "janitor run --target "])
def test_where_there_is_nothing_it_is_silent(desk: Desk, words: str) -> None:
    done = asked(desk, "bash", words)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_that_of_click_without_its_errors(desk: Desk, shell: str) -> None:
    done = desk.janitor("completion", shell)
    kind = get_completion_class(shell)
    assert kind is not None
    plain = kind(janitor, {}, "janitor", "_JANITOR_COMPLETE").source()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(" 2>/dev/null)") == 1
    assert done.stdout.replace(" 2>/dev/null)", ")").rstrip("\n") == plain.rstrip("\n")


def test_another_shell_is_wrong_usage(desk: Desk) -> None:
    assert desk.janitor("completion", "csh").returncode == 2


COMPLETE_IN_BASH = """
eval "$(janitor completion bash)"
complete -p janitor
COMP_WORDS=({words} "$1") COMP_CWORD={place}
_janitor_completion janitor
printf '<%s>\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "begun", "found"),
    [
        ("janitor", "sh", ["show"]),
        ("janitor show", "", ["latest", "2", "1"]),
        ("janitor apply", "", ["2", "1"]),
        ("janitor images --verdict", "d", ["delete"]),
        ("janitor images --reason", "exem", ["exempt"]),
        ("janitor show latest --sort", "s", ["size", "status"]),
        ("janitor images --run", "", ["latest", "2", "1"]),
        ("janitor explain", "aa", ["aa-1", "aa-2"]),
        ("janitor explain", "name-of-ab", ["name-of-ab-3"]),
        ("janitor keep aa-1", "ab", ["ab-3"]),
        ("janitor run --target", "p", ["prod"]),
        ("janitor target rebind", "", ["prod", "프로드"]),
        ("janitor images --format", "j", ["json"]),
        ("janitor show", "x", [""]),
        ("janitor show -c nowhere.yaml", "", [""]),
    ],
)
def test_a_real_bash_completes(folder: Path, desk: Desk, words: str, begun: str, found: list[str]) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    path = f"{COMPLETED.parent}:{os.environ['PATH']}"
    desk.environment = {"PATH": path, "LC_ALL": "C.UTF-8"}
    code = COMPLETE_IN_BASH.format(words=words, place=len(words.split()))
    done = subprocess.run(
        [bash, "--norc", "-c", code, "bash", begun], capture_output=True, check=False, **desk.settings_for_process()
    )
    assert done.stderr == ""
    first, *rows = done.stdout.splitlines()
    assert first == "complete -o nosort -F _janitor_completion janitor"
    assert rows == [f"<{value}>" for value in found]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_real_shell_takes_the_script(desk: Desk, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = desk.janitor("completion", shell).stdout
    load = {"zsh": "autoload -U compinit; compinit -u; ", "fish": ""}[shell]
    done = subprocess.run([program, "-c", load + script], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
