"""What benchmarks are made of: figures, tables, cases and pages. Nothing is measured here."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from benchmarks import __main__ as command
from benchmarks.case import Case, Tell
from benchmarks.cases import CASES, chosen
from benchmarks.processes import Spent
from benchmarks.recorded import Recorded, recorded
from benchmarks.rounds import Measured, in_rounds, spread
from benchmarks.served.accounts import Accounts
from benchmarks.served.pages import Entries, Stretch
from benchmarks.tables import figures_table, processes_table

SPENT = Spent(4, 1, 50)
LETTERS = Entries((letter, letter.encode()) for letter in "abcdef")


def test_a_figure_is_the_median_of_its_rounds_with_their_extremes() -> None:
    found = spread([3.0, 1.0, 10.0])
    assert (found.median, found.least, found.most) == (3.0, 1.0, 10.0)


def test_ratios_are_taken_within_each_round() -> None:
    """Were they of medians, a machine that is slow in one round would tilt them."""
    walls = iter([1.0, 2.0, 100.0, 300.0, 1.0, 2.0])

    def once(measured: Measured) -> None:
        bare, run = (measured.ran(name, Spent(next(walls), 1, 1)) for name in ("bare", "run"))
        measured.found("ratio", run.wall / bare.wall)

    assert in_rounds(3, once, print).figures["ratio"] == [2.0, 3.0, 2.0]


def test_tables_show_figures_beside_what_they_were_and_are_to_be_and_cpu_beside_wall_time() -> None:
    measured = Measured({"run": [Spent(2, 1, 50), Spent(4, 3, 70)]}, {"CPU": [1.0, 3.0], "not printed": [1.0]})
    known = [Recorded("small", "CPU", "s", 1, "9", "1.5"), Recorded("large", "CPU", "s", 1, "", "")]
    known += [Recorded("other", "CPU", "s", 1, "", "")]
    figures = figures_table(known, {"small": measured, "large": Measured()}).splitlines()
    rows = [["small", "CPU", "2.0", "s", "1.0–3.0", "9", "1.5"], ["large", "CPU", "-", "-"]]
    assert [line.split() for line in figures[2:]] == rows
    processes = processes_table({"small": measured}).splitlines()
    assert processes[2].split() == ["small", "run", "2", "3.00", "2.00–4.00", "2.00", "1.00–3.00", "60"]


def test_cases_are_chosen_by_name_and_those_that_take_long_only_so() -> None:
    assert [case.name for case in chosen(["million", "imports"])] == ["imports", "million"]
    assert [case.name for case in chosen([])] == [case.name for case in CASES if not case.by_itself]
    with pytest.raises(ValueError, match="no case is called cpu-100"):
        chosen(["cpu-100"])


@pytest.mark.parametrize(("words", "code"), [(["help"], 0), (["nonsense"], 2), (["--rounds", "0"], 2)], ids=str)
def test_the_command_lists_the_cases(words: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", *words], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert all(case.name in done.stdout + done.stderr for case in CASES) or words[0] == "--rounds"


def test_a_case_that_fails_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_rounds: int, _tell: Tell) -> Measured:
        raise RuntimeError("janitor ended with 70")

    cases = [Case("imports", "", failing), Case("version", "", lambda rounds, _: Measured({"run": [SPENT] * rounds}))]
    monkeypatch.setattr(command, "chosen", lambda _names: cases)
    with pytest.raises(SystemExit) as ended:
        command.main(["imports", "version", "--rounds", "2"])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "million" not in said.out
    assert "measuring imports: it failed: janitor ended with 70" in said.err
    assert ["version", "run", "2", "4.00", "4.00–4.00", "1.00", "1.00–1.00", "50"] in map(
        str.split, said.out.splitlines()
    )


def test_what_is_measured_only_by_itself_has_its_lines_where_no_case_was_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "chosen", lambda _names: [Case("version", "", lambda _rounds, _tell: Measured())])
    with pytest.raises(SystemExit):
        command.main([])
    said = capsys.readouterr().out
    assert "1,000,000 images, 10 ms a page; takes long: make bench CASE=million" in said
    assert ["million", "unchanged", "run:", "CPU", "-", "-", "107", "30"] in map(str.split, said.splitlines())


def test_every_recorded_figure_is_one_of_a_case() -> None:
    assert {known.case for known in recorded()} == {case.name for case in CASES} | {"glance", "fleet"}


def test_pages_are_stretches_of_the_list_from_any_marker_and_without_what_was_deleted() -> None:
    stretch = Stretch(LETTERS, 1, 6)
    assert stretch.page(None, 2) == b"b,c"
    assert stretch.page("d", 9) == b"e,f"
    assert stretch.delete("c")
    assert stretch.delete("d")
    assert not stretch.delete("d")
    assert stretch.page(None, 3) == b"b,e,f"
    assert stretch.page("e", 1) == b"f"
    assert stretch.page("f", 1) == b""


@pytest.mark.parametrize("marker", ["a", "c", "z"], ids=["before-the-stretch", "deleted", "unknown"])
def test_a_marker_that_is_not_listed_has_no_page(marker: str) -> None:
    stretch = Stretch(LETTERS, 1, 6)
    stretch.delete("c")
    assert stretch.page(marker, 2) is None


def answers(accounts: Accounts, method: str, path: str, number: int = 0) -> Mapping[str, object]:
    answer: Mapping[str, object] = json.loads(accounts.answer(method, f"/v1.0/appkeys/appkey-000{number}{path}"))
    return answer


def header(answer: Mapping[str, object]) -> Mapping[str, object]:
    found = answer["header"]
    assert isinstance(found, dict)
    return found


def test_each_account_has_its_part_of_the_fleet_and_the_instances_that_use_it() -> None:
    fleet = Entries((letter, b'{"id":"%s"}' % letter.encode()) for letter in "abcd")
    accounts = Accounts(fleet, [("c", b'{"image":"c"}')], 2)
    assert answers(accounts, "GET", "/images?limit=9", 1)["images"] == [{"id": "c"}, {"id": "d"}]
    assert answers(accounts, "GET", "/instances-detail", 0)["instances"] == []
    assert answers(accounts, "GET", "/instances-detail", 1)["instances"] == [{"image": "c"}]
    assert header(answers(accounts, "GET", "/images?marker=a", 1))["resultCode"] == 30400
    assert header(answers(accounts, "DELETE", "/images?id=d", 1))["isSuccessful"]
    assert header(answers(accounts, "DELETE", "/images?id=d", 1))["resultCode"] == -5
    assert answers(accounts, "GET", "/images", 1)["images"] == [{"id": "c"}]
    accounts.answer("POST", "/again?first=1&images=1")
    assert answers(accounts, "GET", "/images", 1)["images"] == [{"id": "d"}]
    assert not header(answers(accounts, "GET", "/images", 7))["isSuccessful"]
