"""`python -m benchmarks.guard [--record | --top]`: whether a run of 5,000 images costs as much as is recorded.

Counted are calls of functions, those of C included, and the highest amount of memory that Python allocates, in a first
and in an unchanged run: from the requests, which a transport answers in this process, to what is recorded. Neither
depends on the speed of the machine. Each may differ from `guard.json` by a tenth, in either direction; `--record`
writes the figures of now there, and `--top` shows which functions are called most. They depend on the version of
Python: where none are recorded for this one, that is said.
"""

import argparse
import gc
import itertools
import json
import sys
import tempfile
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import yaml

from benchmarks.served.accounts import Accounts
from benchmarks.served.fleet import furnished
from janitor.cli import configuration, wiring
from janitor.core.result import Mode, Outcome
from janitor.run.sites import Choice

Figures = dict[str, int]

IMAGES = 5_000
_FEW = 100
_MOST_APART = 0.1
_MOST_CALLED = 30
_NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
RECORDED = Path(__file__).with_name("guard.json")
_SHIPPED = Path(__file__).parents[1] / "policies"
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_LIMITS = {"max_deletions": 1_000_000, "max_share": "100%"}
_TARGET = {"name": "ours", "endpoint": "http://served.invalid", "username": "bench", "password": "bench"}


class InProcess(httpx.BaseTransport):
    """Answers requests from accounts, in the thread that sends them."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, dated now."""
        body = self._accounts.answer(request.method, request.url.raw_path.decode())
        headers = {"Date": format_datetime(_NOW, usegmt=True), "Content-Type": "application/json"}
        return httpx.Response(200, headers=headers, content=body, request=request)


Observer = Callable[[str, Callable[[], None]], Figures]


def _runs(images: int, seed: int, observe: Observer) -> Figures:
    """What is observed in a first run, and in an unchanged one."""
    accounts = Accounts(*furnished(images, _NOW, seed), clock=lambda: _NOW)
    target = _TARGET | {"appkey": accounts.appkeys[0]}
    with tempfile.TemporaryDirectory(prefix="janitor-guard-") as folder:
        file = Path(folder, "janitor.yaml")
        values = {"database": f"{folder}/janitor.db", "policies": str(_SHIPPED), "limits": _LIMITS, "targets": [target]}
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        settings, rules = configuration.load(file)
        request = wiring.RunRequest(Mode.DRY_RUN, Choice(settings.targets))
        around = wiring.Surroundings(clock=lambda: _NOW, http_transport=InProcess(accounts))

        def run() -> None:
            result = wiring.perform(settings, rules, request, around)
            assert result.outcome is Outcome.OK, result.error

        return observe("first run", run) | observe("unchanged run", run)


def observed(images: int, *observers: Observer) -> Figures:
    """The figures of now, each of the observers beginning with a new database."""
    gc.set_threshold(200_000, 50, 100)  # as the janitor sets it
    _runs(_FEW, 2, _unobserved)  # what happens once in a process is over: imports, first uses; other images than later
    return {name: figure for observer in observers for name, figure in _runs(images, 1, observer).items()}


def _unobserved(_name: str, run: Callable[[], None]) -> Figures:
    run()
    return {}


def counted(name: str, run: Callable[[], None]) -> Figures:
    """How many functions it calls, in all threads that it starts, too."""
    calls = itertools.count()  # which threads may share

    def count(_frame: FrameType, event: str, _function: Any) -> None:
        if event in ("call", "c_call"):
            next(calls)

    with _profiled_by(count):
        run()
    return {f"{name}, calls": next(calls)}


@contextmanager
def _profiled_by(count: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    """Let this be called at every call and return, here and in threads that are started meanwhile."""
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def allocated(name: str, run: Callable[[], None]) -> Figures:
    """How much memory Python has allocated for it at most."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return {f"{name}, KiB allocated at most": tracemalloc.get_traced_memory()[1] // 1024}
    finally:
        tracemalloc.stop()


def most_called(name: str, run: Callable[[], None]) -> Figures:
    """The functions that it calls most, in the same threads, and how often."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, function: Any) -> None:
        if event == "call":
            calls[f"{name}, {frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"] += 1
        elif event == "c_call":
            calls[f"{name}, {function.__qualname__} in {frame.f_code.co_qualname}"] += 1

    with _profiled_by(count):
        run()
    return dict(calls.most_common(_MOST_CALLED))


def differences(now: Mapping[str, int], recorded: Mapping[str, int]) -> list[str]:
    """A line for each figure that is not within a tenth of the recorded one, or not recorded."""
    return [
        f"{name}: {now.get(name, 0):,}, recorded {recorded.get(name, 0):,}"
        for name in {**recorded, **now}
        if abs(now.get(name, 0) - recorded.get(name, 0)) > _MOST_APART * recorded.get(name, 0)
    ]


def run(words: Sequence[str]) -> None:
    """Measure, and compare or record. Raises SystemExit, which says what to do, for other figures than recorded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description="Calls and memory of a run.")
    parser.add_argument("--record", action="store_true", help="write the figures of now to guard.json")
    parser.add_argument("--top", action="store_true", help="only show which functions are called most")
    asked, recorded = parser.parse_args(words), _recorded()
    if asked.top:
        _show(observed(IMAGES, most_called), {})
        return
    if not asked.record and _VERSION not in recorded:
        print(f"nothing is recorded for Python {_VERSION}, so nothing was compared: {_COMMAND}")
        return
    now = observed(IMAGES, counted, allocated)
    _show(now, recorded.get(_VERSION, {}))
    if asked.record:
        RECORDED.write_text(json.dumps(recorded | {_VERSION: now}, indent=2) + "\n", encoding="utf-8")
    elif apart := differences(now, recorded[_VERSION]):
        sys.exit("\n".join(("not as recorded:", *apart, _ADVICE)))
    else:
        print(f"all within {_MOST_APART:.0%} of what is recorded")


def _show(figures: Figures, recorded: Mapping[str, int]) -> None:
    for name, figure in figures.items():
        print(f"{name}: {figure:,}" + (f" (recorded: {recorded[name]:,})" if name in recorded else ""))


def _recorded() -> dict[str, Figures]:
    recorded: dict[str, Figures] = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    return recorded


_COMMAND = ".venv/bin/python -m benchmarks.guard --record"
_ADVICE = f"""\
More: find out what it is spent on, with --top or tracemalloc, and spend it only if it is worth that.
Less: well done. If it is to stay like this, record it, and commit the file: {_COMMAND}"""

if __name__ == "__main__":
    run(sys.argv[1:])
