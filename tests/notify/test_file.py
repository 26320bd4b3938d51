"""A file of reports beside Slack: every report is a line there, and none of them counts as an announcement."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from janitor.config import Settings
from janitor.core.result import Mode, Outcome, RunResult
from janitor.errors import ConfigurationError, DeliveryError, Exit
from janitor.notify.announcing import as_told
from janitor.notify.channels import configured
from janitor.notify.delivery import deliver, resend
from janitor.notify.file import channel
from janitor.notify.file.lines import add_line, try_to_add
from janitor.report.as_json import json_report
from janitor.store import Store
from tests.conftest import POLICY, Desk
from tests.factories import NOW, make_run
from tests.notify.deliveries import TARGET, Configure, settings_of
from tests.notify.notices import CI, recorded, telling
from tests.slack_stand_in import CHANNEL, TOKEN, Posted, SlackStandIn

LINE = b'{"run": 1}'


@pytest.fixture
def configure(tmp_path: Path, slack: SlackStandIn, nothing_waits: None) -> Configure:
    """The settings with Slack and a file, or with what is said instead."""

    def configure(channels: str = "[{file: reports.jsonl}]", *, slack_too: bool = True) -> Settings:
        told = f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}', post: always}}\n"
        return settings_of(tmp_path, f"database: j.db\nchannels: {channels}\n{told if slack_too else ''}")

    return configure


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reports.jsonl"


def announcing(settings: Settings, *names: str, reminded: tuple[str, ...] = ()) -> RunResult:
    """The result of a live run that is in the database, and announces these images."""
    with Store.open(settings.database) as store:
        return recorded(store, telling(*names, reminded=reminded))


def delivered(settings: Settings, result: RunResult, policies: Any = (CI,)) -> Any:
    return deliver(settings, result, policies, clock=lambda: NOW)


def lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(settings.database)) as connection:
        return connection.execute(query).fetchall()


# Beside Slack


def test_every_report_is_a_line_in_the_words_of_format_json(configure: Configure, file: Path) -> None:
    settings = configure()
    results = [announcing(settings, "a"), announcing(settings, "b")]
    told = [delivered(settings, result) for result in results]
    assert [one.code for one in told] == [Exit.OK, Exit.OK]
    assert lines_of(file) == [
        json_report(as_told(result, one.announced)) for result, one in zip(results, told, strict=True)
    ]
    assert [json.loads(line)["targets"][0]["announced"] for line in lines_of(file)] == [["a"], ["b"]]


def test_a_file_alone_is_told_of_every_run(configure: Configure, file: Path, slack: SlackStandIn) -> None:
    settings = configure(slack_too=False)
    quiet = announcing(settings)
    assert delivered(settings, quiet).code is Exit.OK
    assert lines_of(file) == [json_report(quiet)]
    assert slack.requests == []


def test_what_a_file_accepted_starts_no_notice_and_is_no_reminder(
    configure: Configure, file: Path, slack: SlackStandIn
) -> None:
    settings = configure()
    slack.refuse_after = 0
    told = delivered(settings, announcing(settings, "a", reminded=("b",)))
    assert (told.code, told.announced) == (Exit.FAILED, frozenset())
    assert "to Slack" in told.trouble
    assert "reports.jsonl" not in told.trouble
    assert rows(settings, "SELECT * FROM notices") == []
    assert json.loads(lines_of(file)[0])["targets"][0]["undelivered"] == ["a", "b"]


def test_a_file_alone_announces_nothing(configure: Configure, file: Path) -> None:
    settings = configure(slack_too=False)
    assert delivered(settings, announcing(settings, "a")).announced == frozenset()
    assert rows(settings, "SELECT * FROM notices") == []
    assert json.loads(lines_of(file)[0])["targets"][0]["announced"] == []


def test_a_file_does_not_satisfy_notice(desk: Desk) -> None:
    desk.write("janitor.yaml", f"targets: [{TARGET}]\nchannels: [{{file: reports.jsonl}}]\n")
    desk.write("policies/ci.yaml", POLICY + "    notice: 2d\n")
    done = desk.janitor("check")
    assert done.returncode == 2
    assert "notice" in done.stderr
    assert "slack" in done.stderr


def test_a_silence_is_none_for_the_file(configure: Configure) -> None:
    settings = configure()
    delivered(settings, announcing(settings, "a"))
    delivered(settings, announcing(settings, "b"))
    with Store.open(settings.database) as store:
        heard = store.memory("prod").hearing.moments
    assert [len(moments) for name, moments in heard.items() if name == "slack"] == [2]


# What did not arrive


def test_a_file_that_cannot_be_written_is_an_undelivered_report(
    configure: Configure, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = configure()
    file.mkdir()
    told = delivered(settings, announcing(settings, "a"))
    assert (told.code, told.announced) == (Exit.FAILED, {("prod", "a")})
    assert told.trouble == (
        "the report was not delivered to reports.jsonl (see above); it is kept, and the next run sends it"
    )
    assert f"report-undelivered run=1 to {file}: a report cannot be added to {file}: Is a directory" in caplog.text


def test_a_late_line_comes_first_and_says_what_was_announced(
    configure: Configure, file: Path, slack: SlackStandIn
) -> None:
    settings = configure()
    file.mkdir()
    first = announcing(settings, "a")
    assert delivered(settings, first).code is Exit.FAILED
    file.rmdir()
    second = announcing(settings)
    assert delivered(settings, second).code is Exit.OK
    assert [json.loads(line)["run"] for line in lines_of(file)] == [first.run, second.run]
    assert json.loads(lines_of(file)[0])["targets"][0]["announced"] == ["a"]
    assert not any("late" in posted.shown for posted in slack.posted)


def test_a_run_that_died_before_its_line_was_written_gets_it_from_the_next(
    configure: Configure, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configure()

    def die(*_words: object) -> None:
        raise KeyboardInterrupt

    first = announcing(settings, "a")
    with monkeypatch.context() as patched:
        patched.setattr(channel, "add_line", die)
        with pytest.raises(KeyboardInterrupt):
            delivered(settings, first)
    assert not file.exists()
    delivered(settings, announcing(settings))
    assert [json.loads(line)["run"] for line in lines_of(file)] == [1, 2]
    assert json.loads(lines_of(file)[0])["targets"][0]["announced"] == ["a"], "Slack had accepted it, and it began"


def test_a_run_that_died_before_its_report_was_kept_gets_its_line_too(configure: Configure, file: Path) -> None:
    settings = configure(slack_too=False)
    with Store.open(settings.database) as store:
        run = store.begin_run(Mode.DELETE, NOW, owes_report=True)
        store.finish_run(make_run(mode=Mode.DELETE, run=run, started_at=NOW, finished_at=NOW))
    delivered(settings, announcing(settings))
    assert [json.loads(line)["run"] for line in lines_of(file)] == [1, 2]


def test_every_file_gets_every_line(configure: Configure, file: Path, tmp_path: Path) -> None:
    settings = configure("[{file: reports.jsonl}, {file: other.jsonl}]")
    (tmp_path / "other.jsonl").mkdir()
    told = delivered(settings, announcing(settings, "a"))
    assert told.trouble.startswith("the report was not delivered to other.jsonl (see above)"), "nothing of it arrived"
    (tmp_path / "other.jsonl").rmdir()
    assert delivered(settings, announcing(settings)).code is Exit.OK
    assert lines_of(file) == lines_of(tmp_path / "other.jsonl")


def test_slack_is_told_of_lines_that_wait(configure: Configure, file: Path, slack: SlackStandIn) -> None:
    settings = configure()
    file.mkdir()
    delivered(settings, announcing(settings, "a"))
    slack.posted.clear()
    told = delivered(settings, announcing(settings))
    assert "1 earlier report undelivered since 2026-11-2" in slack.posted[0].shown
    assert "delivered to reports.jsonl" in told.trouble


def test_resend_adds_late_lines(configure: Configure, file: Path) -> None:
    settings = configure()
    file.mkdir()
    result = announcing(settings, "a")
    delivered(settings, result)
    ((name, error),) = resend(settings, [CI])
    assert name == f"report of run 1 of 2026-11-23 03:00 UTC to {file}"
    assert isinstance(error, DeliveryError)
    file.rmdir()
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert [json.loads(line)["run"] for line in lines_of(file)] == [1]


def test_a_report_for_a_kind_of_channel_that_this_version_does_not_know_stays(configure: Configure, file: Path) -> None:
    settings = configure()
    file.mkdir()
    delivered(settings, announcing(settings, "a"))
    with closing(sqlite3.connect(settings.database)) as database, database:
        database.execute(
            "UPDATE reports SET messages = json_set(messages, '$.kind', 'pager') WHERE delivered_at IS NULL"
        )
    with pytest.raises(
        DeliveryError, match='this version has no channel of the kind "pager"; use the version that kept'
    ):
        list(resend(settings, [CI]))
    with Store.open(settings.database) as store:
        assert len(store.undelivered()) == 1


def test_the_line_of_a_run_that_could_not_begin_is_kept_itself(configure: Configure, file: Path) -> None:
    settings = configure(slack_too=False)
    file.mkdir()
    failed = make_run(run=0, outcome=Outcome.FAILED, error="policies/ci.yaml:12: no")
    assert delivered(settings, failed).code is Exit.FAILED
    file.rmdir()
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert lines_of(file) == [json_report(failed)]


def test_what_waits_for_a_file_that_is_not_configured_any_more_stays(configure: Configure, file: Path) -> None:
    settings = configure()
    file.mkdir()
    delivered(settings, announcing(settings, "a"))
    settings = configure("[]")
    assert delivered(settings, announcing(settings)).code is Exit.OK
    with pytest.raises(DeliveryError, match=r"^1 report undelivered: configure `channels` in janitor\.yaml"):
        list(resend(settings, [CI]))


def test_what_waits_for_another_file_goes_to_the_one_that_there_is(configure: Configure, file: Path) -> None:
    settings = configure("[{file: elsewhere/reports.jsonl}]")
    delivered(settings, announcing(settings, "a"))
    settings = configure()
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert len(lines_of(file)) == 1


def runs_in(file: Path) -> list[int]:
    return [json.loads(line)["run"] for line in lines_of(file)]


def test_what_waits_for_a_file_that_is_gone_is_not_added_where_it_is_already(
    configure: Configure, file: Path, tmp_path: Path
) -> None:
    settings = configure("[{file: reports.jsonl}, {file: other.jsonl}]")
    (tmp_path / "other.jsonl").mkdir()
    for _ in range(2):
        delivered(settings, announcing(settings))
    delivered(settings, make_run(run=0, outcome=Outcome.FAILED, error="policies/ci.yaml:12: no"))
    settings = configure()
    assert list(resend(settings, [CI])) == []
    assert runs_in(file) == [1, 2, 0]
    assert rows(settings, "SELECT count(*) FROM reports WHERE delivered_at IS NULL") == [(0,)]
    told = rows(settings, "SELECT DISTINCT error FROM reports WHERE channel LIKE '%other.jsonl'")
    why = "not sent: its channel is not configured, and all others of its kind have the report of this run"
    assert told == [(why,)]


def test_what_waits_for_two_files_that_are_gone_is_added_once_where_it_is_missing(
    configure: Configure, file: Path, tmp_path: Path
) -> None:
    settings = configure("[{file: reports.jsonl}, {file: b.jsonl}, {file: c.jsonl}]")
    for name in ("b.jsonl", "c.jsonl"):
        (tmp_path / name).mkdir()
    delivered(settings, announcing(settings))
    settings = configure("[{file: reports.jsonl}, {file: new.jsonl}]")
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert (runs_in(file), runs_in(tmp_path / "new.jsonl")) == ([1], [1])
    assert list(resend(settings, [CI])) == []


def test_what_waits_for_a_file_that_is_gone_stays_until_the_others_have_it(
    configure: Configure, file: Path, tmp_path: Path
) -> None:
    settings = configure("[{file: other.jsonl}, {file: reports.jsonl}]")
    for path in (file, tmp_path / "other.jsonl"):
        path.mkdir()
    delivered(settings, announcing(settings))
    settings = configure()
    assert [type(error) for _, error in resend(settings, [CI])] == [DeliveryError]
    assert len(rows(settings, "SELECT 1 FROM reports WHERE delivered_at IS NULL")) == 2
    file.rmdir()
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert runs_in(file) == [1]
    assert rows(settings, "SELECT 1 FROM reports WHERE delivered_at IS NULL") == []


OLD = """
INSERT INTO reports (run, channel, messages, created_at, accepted, place)
VALUES (NULL, '{channel}', '[{{"text": "First.", "blocks": []}}, {{"text": "Second.", "blocks": []}}]',
    '2026-11-23T03:00:00Z', {accepted}, {place})
"""


@pytest.mark.parametrize("begun", [False, True], ids=["whole", "rest"])
def test_a_report_that_waits_in_a_database_of_before_goes_to_slack(
    configure: Configure, file: Path, slack: SlackStandIn, begun: bool
) -> None:
    settings = configure()
    announcing(settings)
    place = json.dumps({"channel": CHANNEL, "id": CHANNEL, "thread": "1.0"})
    old = OLD.format(channel="slack", accepted=int(begun), place=f"'{place}'" if begun else "NULL")
    with closing(sqlite3.connect(settings.database)) as connection, connection:
        connection.execute(old)
    if begun:
        slack.posted.append(Posted("late: First.", [], CHANNEL, None, "1.0"))
    assert [error for _, error in resend(settings, [CI])] == [None]
    mark = "late: report of a run that could not begin of 2026-11-23 03:00 UTC. "
    texts = ["Second."] if begun else ["First.", "Second."]
    assert [posted.text for posted in slack.posted[int(begun) :]] == [mark + text for text in texts]
    assert slack.posted[-1].thread == slack.posted[0].ts
    assert not file.exists()


# The file


def test_a_file_is_made_for_its_owner_and_never_replaced(file: Path) -> None:
    add_line(file, LINE)
    made = file.stat()
    assert stat.S_IMODE(made.st_mode) == 0o600
    add_line(file, LINE)
    assert file.read_bytes() == LINE + b"\n" + LINE + b"\n"
    assert file.stat().st_ino == made.st_ino


def test_a_link_is_followed_and_stays(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "elsewhere.jsonl")
    add_line(file, LINE)
    assert file.is_symlink()
    assert (tmp_path / "elsewhere.jsonl").read_bytes() == LINE + b"\n"


def test_a_line_that_was_cut_off_stays_and_ends_before_the_next(file: Path) -> None:
    file.write_bytes(b'{"ru')
    add_line(file, LINE)
    assert file.read_bytes() == b'{"ru\n' + LINE + b"\n"


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b"\n", b"\0" * 9, b'{"runs": 1}\n', b"- name: ci\n"])
def test_another_file_is_left_as_it_is(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    for act in (lambda: add_line(file, LINE), lambda: try_to_add(file)):
        with pytest.raises(OSError, match="of this program's reports: move it away, or configure another name"):
            act()
    assert file.read_bytes() == content


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_regular_file_is_not_written(kind: str, file: Path) -> None:
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    path = Path("/dev/null") if kind == "device" else file
    for act in (lambda: add_line(path, LINE), lambda: try_to_add(path)):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            act()


def test_a_line_that_is_not_there_whole_is_not_accepted(file: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from janitor.notify.file.lines import add_line\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))\n"
        "try: add_line(Path(sys.argv[1]), b'x' * 40)\n"
        "except OSError as error: print(error.strerror)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "only 20 of 41 bytes could be written\n"


# Configuration and check


def test_check_names_the_file_and_writes_nothing(sandbox_desk: Desk) -> None:
    sandbox_desk.amend("channels: [{file: reports.jsonl}]\n")
    done = sandbox_desk.janitor("check")
    assert (
        f"file           ok: reports are added to {sandbox_desk.folder / 'reports.jsonl'}, which does not"
        in done.stdout
    )
    assert not (sandbox_desk.folder / "reports.jsonl").exists()
    (sandbox_desk.folder / "reports.jsonl").mkdir()
    done = sandbox_desk.janitor("check")
    assert done.returncode == 1
    assert "file           failed: " in done.stdout


def test_a_command_adds_what_it_prints_and_exits_1_where_it_cannot(sandbox_desk: Desk) -> None:
    sandbox_desk.amend("channels: [{file: reports.jsonl}]\n")
    file = sandbox_desk.folder / "reports.jsonl"
    printed = sandbox_desk.janitor("run", "--dry-run", "--format", "json")
    assert printed.returncode == 0
    assert lines_of(file) == printed.stdout.splitlines()
    file.unlink()
    file.mkdir()
    failed = sandbox_desk.janitor("run", "--dry-run")
    assert failed.returncode == 1
    assert "the report was not delivered to reports.jsonl (see above)" in failed.stderr


@pytest.mark.parametrize(
    ("channels", "problem"),
    [
        ("[{file: x.jsonl}, {file: ./x.jsonl}]", 'channels[1].file: "x.jsonl" is the file of channels[0] already'),
        ("[{file: j.db}]", '"j.db" is used for something else'),
        ("[{file: j.db-wal}]", '"j.db-wal" is used for something else'),
        ("[{file: janitor.yaml}]", '"janitor.yaml" is the configuration itself'),
        ("[{}]", "channels[0].file: is missing: name the file that reports are added to"),
        ("[{file: ''}]", "file"),
        ("[{folder: x}]", "channels[0]: is of no known kind: give it one of the keys file"),
        ("[{fil: x}]", 'channels[0].fil: unknown key, did you mean "file"?'),
        ("[{file: x.jsonl, kept: 3}]", "channels[0].kept: unknown key (known here: file)"),
        ("[x.jsonl]", "channels[0]: is text: write keys and values"),
    ],
)
def test_what_is_no_file_of_reports_is_said(configure: Configure, channels: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        configure(channels)
    assert problem in " ".join(map(str, raised.value.problems))


# The port


def test_every_kind_of_channel_is_called_what_no_other_is(configure: Configure) -> None:
    channels = configured(configure("[{file: a.jsonl}, {file: b.jsonl}]"))
    assert [channel.kind for channel in channels] == ["slack", "file", "file"]
    assert len({channel.name for channel in channels}) == len(channels)


def test_without_any_channel_nothing_is_delivered_nor_kept(configure: Configure) -> None:
    settings = configure("[]", slack_too=False)
    result = announcing(settings, "a")
    assert delivered(settings, result).code is Exit.OK
    assert rows(settings, "SELECT * FROM reports") == []
