"""The guard against runs that cost more: what it counts, and what it says."""

from pathlib import Path
from threading import Thread

import pytest

from benchmarks import guard

NOW_AND_RECORDED = {
    "as-recorded": ({"calls": 100}, {"calls": 100}, []),
    "a-tenth-apart": ({"calls": 110, "KiB": 90}, {"calls": 100, "KiB": 100}, []),
    "more": ({"calls": 111}, {"calls": 100}, ["calls: 111, recorded 100"]),
    "less": ({"calls": 89}, {"calls": 100}, ["calls: 89, recorded 100"]),
    "not-recorded": ({"calls": 1}, {}, ["calls: 1, recorded 0"]),
    "not-counted": ({}, {"calls": 100}, ["calls: 0, recorded 100"]),
}


@pytest.mark.parametrize(("now", "known", "said"), NOW_AND_RECORDED.values(), ids=NOW_AND_RECORDED)
def test_the_guard_names_what_is_not_within_a_tenth(now: guard.Figures, known: guard.Figures, said: list[str]) -> None:
    assert guard.differences(now, known) == said


def test_the_guard_counts_calls_of_all_threads() -> None:
    def calling() -> None:
        for _ in range(1_000):
            len("")

    def twice() -> None:
        thread = Thread(target=calling)
        thread.start()
        thread.join()
        calling()

    [calls] = guard.counted("twice", twice).values()
    assert 2_000 <= calls < 2_200
    name, most = next(iter(guard.most_called("twice", twice).items()))
    assert (name.split()[:3], most) == (["twice,", "len", "in"], 2_000)


def test_the_guard_sees_how_much_is_allocated() -> None:
    def allocating() -> None:
        bytearray(2**20)

    [kib] = guard.allocated("a MiB", allocating).values()
    assert 1024 <= kib < 1100


def test_what_fails_the_guard_says_how_to_record_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "RECORDED", tmp_path / "guard.json")
    monkeypatch.setattr(guard, "observed", lambda *_: {"calls": 100})
    guard.run([])
    assert "nothing is recorded for Python" in capsys.readouterr().out
    guard.run(["--record"])
    guard.run([])
    monkeypatch.setattr(guard, "observed", lambda *_: {"calls": 50})
    with pytest.raises(SystemExit, match=r"calls: 50, recorded 100[^$]*benchmarks\.guard --record"):
        guard.run([])
