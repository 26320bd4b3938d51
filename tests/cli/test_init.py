"""`janitor init`: what it writes is right, is all or nothing, and is never written over what is there."""

import os
import shutil
import signal
import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from janitor.cli.commands.beginning.questions import QUESTIONS
from janitor.cli.commands.beginning.texts import configuration_text, variables_of
from janitor.cli.commands.beginning.writing import write_together
from janitor.config import load_settings
from janitor.errors import JanitorError, UsageError
from tests.cli.test_terminal import Screen, plain
from tests.conftest import Desk

WRITTEN = [".env.example", "janitor.yaml", "policies"]
SHIPPED = Path(__file__).parents[2] / "policies"
VALUES = {
    "NHN_TENANT_ID": "t",
    "NHN_USERNAME": "u",
    "NHN_PASSWORD": "p",
    "TOAST_APPKEY": "a",
    "TOAST_USERNAME": "u",
    "TOAST_PASSWORD": "p",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
    "SLACK_BOT_TOKEN": "xoxb-1",
}
ANSWERS = {
    "api": "openstack",
    "name": "prod",
    "cloud": "",
    "identity": "https://identity.example/v2.0",
    "region": "*",
    "timezone": "UTC",
    "schedule": "0 3 * * *",
    "slack": "none",
}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("slack", [(), ("--slack", "webhook"), ("--slack", "bot", "--channel", '#이미지"a')], ids=str)
@pytest.mark.parametrize("api", ["openstack", "toast"])
def test_what_is_written_passes_the_check_once_its_variables_are_set(
    desk: Desk, api: str, slack: tuple[str, ...]
) -> None:
    done = desk.janitor("init", "--api", api, "--name", '프로드 "x" # 1', "--timezone", "Asia/Seoul", *slack)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(desk.folder) == WRITTEN
    unset = desk.janitor("check")
    assert (unset.returncode, unset.stderr.splitlines()[-1][:10]) == (2, "next: set ")
    example = (desk.folder / ".env.example").read_text()
    named = [line.partition("=")[0] for line in example.splitlines() if not line.startswith("#")]
    assert all(line.endswith("=") for line in example.splitlines() if not line.startswith("#"))
    desk.environment = {name: VALUES[name] for name in named}
    checked = desk.janitor("check")
    assert checked.returncode == 0, checked.stderr
    assert 'mode dry-run, targets: 프로드 "x" # 1' in checked.stdout
    assert checked.stdout.count("+09:00") == 3
    config = yaml.safe_load((desk.folder / "janitor.yaml").read_text(encoding="utf-8"))
    assert config.get("slack", {}).get("channel") == ('#이미지"a' if "bot" in slack else None)


def test_a_cloud_of_clouds_yaml_needs_no_variables(desk: Desk) -> None:
    done = desk.janitor("init", "--cloud", "lab")
    assert (done.returncode, "cp .env.example" in done.stdout) == (0, False)
    desk.write(
        "clouds.yaml",
        "clouds: {lab: {region_name: R, auth: {auth_url: 'https://x/v3', project_id: p, username: u, password: p}}}",
    )
    assert desk.janitor("check").returncode == 0


def test_the_policies_are_those_that_are_shipped(desk: Desk) -> None:
    desk.janitor("init", "--yes")
    assert names(desk.folder / "policies") == names(SHIPPED)
    for name in names(SHIPPED):
        place_of_schema, shipped = (SHIPPED / name).read_text().split("\n", 1)
        assert place_of_schema.startswith("# yaml-language-server: $schema=")
        assert (desk.folder / "policies" / name).read_text() == shipped


def test_the_end_says_what_comes_next(desk: Desk) -> None:
    done = desk.janitor("init")
    steps = [line.split("  ")[1] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert steps == [
        "1. cp .env.example .env",
        "2. janitor check",
        "3. janitor check --live",
        "4. janitor run --dry-run",
    ]


def test_only_the_owner_reads_where_secrets_could_come_to_be(desk: Desk) -> None:
    desk.janitor("init")
    modes = {name: stat.S_IMODE((desk.folder / name).stat().st_mode) for name in WRITTEN}
    assert (modes["janitor.yaml"], modes[".env.example"]) == (0o600, 0o600)
    shutil.copy(desk.folder / ".env.example", desk.folder / ".env")
    assert stat.S_IMODE((desk.folder / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("kind", ["file", "folder", "link-to-nothing"])
def test_where_one_name_is_taken_nothing_is_written(desk: Desk, name: str, kind: str) -> None:
    place = desk.folder / name
    match kind:
        case "file":
            place.write_text("of somebody")
        case "folder":
            place.mkdir()
        case _:
            place.symlink_to("nowhere")
    before = place.lstat()
    done = desk.janitor("init", "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        f"{name} exists, and nothing was written: move away what is there, or name a file in another folder by -c"
        in done.stderr
    )
    assert names(desk.folder) == [name]
    assert place.lstat() == before


def test_c_and_the_environment_say_which_file_it_is(desk: Desk) -> None:
    (desk.folder / "here").mkdir()
    assert desk.janitor("init", "-c", "here/a.yaml").returncode == 0
    assert names(desk.folder / "here") == [".env.example", "a.yaml", "policies"]
    (desk.folder / "there").mkdir()
    desk.environment = {"JANITOR_CONFIG": "there/b.yaml"}
    assert desk.janitor("init").returncode == 0
    assert names(desk.folder / "there") == [".env.example", "b.yaml", "policies"]
    nowhere = desk.janitor("init", "-c", "nowhere/a.yaml")
    assert (nowhere.returncode, "No such file or directory; nothing was written" in nowhere.stderr) == (1, True)
    assert desk.janitor("init", "-c", "policies").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--timezone", "Asia/Soul"), "--timezone: "),
        (("--schedule", "every night"), "--schedule: "),
        (("--name", ""), "--name: "),
        (("--identity", "no-url"), "--identity: "),
        (("--slack", "bot"), "--channel is missing, and it has no default"),
        (("--slack", "pigeon"), "'pigeon' is not one of"),
        (("--api", "toast", "--cloud", "lab"), "--cloud: of no use with the other answers"),
        (("--channel", "#a"), "--channel: of no use"),
        (("--api", "toast", "--endpoint", "${X}"), "--endpoint: "),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_a_wrong_answer_names_its_option_and_nothing_is_written(desk: Desk, words: tuple[str, ...], said: str) -> None:
    done = desk.janitor("init", *words)
    assert (done.returncode, done.stdout, said in done.stderr) == (2, "", True), done.stderr
    assert names(desk.folder) == []


# On a terminal


def test_a_terminal_is_asked_what_no_option_says_and_again_where_the_answer_is_wrong(desk: Desk) -> None:
    typed = (
        "\n".join(["toast", "old", "", "Asia/Soul", "Asia/Seoul", "pigeon", "bot", "", "# 이미지", "#이미지"]) + "\n"
    )
    desk.environment = {"COLUMNS": "", "TERM": "xterm"}
    code, shown = Screen(80).show(desk, "init", "--schedule", "5 4 * * *", typed=typed)
    assert code == 0, shown
    assert "crontab" not in shown, "its option was given"
    assert "clouds.yaml" not in shown, "it makes no sense with that API"
    assert "Answer none or webhook or bot." in shown
    assert "It has no default." in shown
    assert '"Asia/Soul" is not an IANA time zone, did you mean "Asia/Seoul"?' in plain(shown)
    assert '"# 이미지" is not a channel' in shown
    assert max(len(part) for line in plain(shown).splitlines() for part in line.split("]:")) <= 80
    config = yaml.safe_load((desk.folder / "janitor.yaml").read_text(encoding="utf-8"))
    assert (config["timezone"], config["schedule"], config["slack"]["channel"]) == (
        "Asia/Seoul",
        "5 4 * * *",
        "#이미지",
    )
    assert config["targets"][0]["api"] == "toast"
    assert config["targets"][0]["password"] == "${TOAST_PASSWORD}"


def test_zone_and_schedule_are_judged_before_the_next_question(desk: Desk) -> None:
    typed = "\n".join(["KST", "Asia/Seoul", "every night", "5 4 * * *", "none"]) + "\n"
    given = ("--api", "openstack", "--name", "prod", "--cloud", "lab", "--region", "KR1")
    code, shown = Screen(80).show(desk, "init", *given, typed=typed)
    order = ("Which time zone", 'did you mean "Asia/Seoul"?', "as in crontab", "every night", "get to Slack")
    places = [plain(shown).rindex(words) for words in order]
    assert (code, places) == (0, sorted(places))


@pytest.mark.parametrize("word", ["none", "None", ""])
def test_no_cloud_is_left_empty_or_called_none(desk: Desk, word: str) -> None:
    code, shown = Screen(80).show(desk, "init", typed=f"\nprod\n{word}\n" + "\n" * 5)
    assert (code, "Leave empty for NHN Cloud" in plain(shown)) == (0, True), shown
    [target] = yaml.safe_load((desk.folder / "janitor.yaml").read_text(encoding="utf-8"))["targets"]
    assert ("cloud" in target, target["tenant_id"]) == (False, "${NHN_TENANT_ID}")


def test_the_example_of_a_bot_says_where_the_token_of_its_buttons_goes(desk: Desk) -> None:
    desk.janitor("init", "--slack", "bot", "--channel", "#a")
    example = (desk.folder / ".env.example").read_text()
    assert example.endswith("see docs/slack.md\n# SLACK_APP_TOKEN=\n")


@pytest.mark.parametrize("typed", ["\x04", "toast\n\n\x04"], ids=["at-once", "later"])
def test_where_the_input_ends_nothing_is_written(desk: Desk, typed: str) -> None:
    code, shown = Screen(80).show(desk, "init", typed=typed)
    assert (code, names(desk.folder)) == (2, [])
    assert "the input ended before the answer; nothing was done" in plain(shown)


def test_yes_asks_nothing_on_a_terminal_either(desk: Desk) -> None:
    code, shown = Screen(80).show(desk, "init", "--yes")
    assert (code, names(desk.folder), "Which" in shown) == (0, WRITTEN, False)


# Quoting


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_text_is_quoted_so_that_yaml_reads_what_was_typed(text: str) -> None:
    read = yaml.safe_load(configuration_text({**ANSWERS, "slack": "bot", "channel": text}))
    assert read["slack"]["channel"] == text.replace("${", "$${")


@pytest.mark.parametrize("text", ["${HOME}", "$${HOME}", "a: b", "*a", "&a", "- a", "null", "1", "'", '"', "\\"])
def test_what_was_typed_is_what_the_configuration_says(tmp_path: Path, text: str) -> None:
    answers = {**ANSWERS, "name": text}
    (tmp_path / "janitor.yaml").write_text(configuration_text(answers), encoding="utf-8")
    [target] = load_settings(tmp_path / "janitor.yaml", dict.fromkeys(variables_of(answers), "x")).targets
    assert target.name == text


def test_no_secret_is_asked_for() -> None:
    assert not [each.name for each in QUESTIONS if each.name in ("appkey", "username", "password", "token", "webhook")]


# All or nothing


def place_in(folder: Path, check: object = None) -> None:
    secret = {folder / "a": "1", folder / "b": "2"}
    write_together(secret, folder / "policies", {"x.yaml": "3"}, check or (lambda _staged: None))  # type: ignore[arg-type]


def test_a_check_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def wrong(staged: dict[Path, Path]) -> None:
        assert [path.read_text() for path in staged.values() if path.is_file()] == ["1", "2"]
        raise UsageError("wrong")

    with pytest.raises(UsageError, match="wrong"):
        place_in(tmp_path, wrong)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["a", "b", "policies"])
def test_a_name_that_is_taken_meanwhile_is_left_and_the_others_are_undone(tmp_path: Path, name: str) -> None:
    def taken(_staged: object) -> None:
        (tmp_path / name).write_text("of somebody")

    with pytest.raises(UsageError, match=f"{name} exists, and nothing was written"):
        place_in(tmp_path, taken)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "of somebody"


def test_a_signal_waits_until_all_is_there(tmp_path: Path) -> None:
    came: list[list[str]] = []
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: came.append(names(tmp_path)))
    try:
        place_in(tmp_path, lambda _staged: os.kill(os.getpid(), signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [["a", "b", "policies"]]


def test_a_file_system_without_links_takes_the_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_names: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    place_in(tmp_path)
    assert [(tmp_path / name).read_text() for name in "ab"] == ["1", "2"]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(JanitorError, match="nothing was written"):
        place_in(tmp_path / "nowhere")
