"""A damaged or half-made database: damage gives a message and never a crash, and the file stays as it is."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.planning.deletion import Answer, Answered
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.errors import StoreError, UsageError
from janitor.store import Store, inspect
from tests.store.filled import IMAGES, fill
from tests.store.recorded import NOW


@pytest.mark.parametrize("opened", [Store.open, Store.open_existing])
def test_a_file_that_lacks_its_end_is_damaged_whatever_is_asked_of_it(
    tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    path = tmp_path / "janitor.db"
    fill(path)
    os.truncate(path, path.stat().st_size - 4096)
    with pytest.raises(StoreError, match="damaged or not a database"):
        opened(path)


def use(path: Path) -> None:
    """Whatever a run and the commands ask of a database."""
    with Store.open(path) as store:
        run = store.begin_run(Mode.DELETE, NOW)
        for prefix in ("00", "0399"):
            store.find_image(prefix)
            store.image_history("prod", prefix)
        store.load_run(1)
        store.surveys(2)
        store.unsettled("prod")
        store.undelivered()
        survey = Survey(tuple(image.replace(size=7) for image in IMAGES), Usage(), NOW, NOW)
        store.record_survey(run, "prod", survey)
        decision = Decision(survey.images[0], Verdict.DELETE, "ci", Reason.EXPIRED, "expired")
        store.record_decisions(run, "prod", [decision])
        store.journal_answer(store.journal_request(run, "prod", decision, NOW), Answered(Answer.ACCEPTED), NOW)


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_is_a_sentence_and_never_a_crash(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "janitor.db"
    fill(path)
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 30])):
        place = chance.randrange(len(content))
        length = chance.choice([1, 16, 4096])
        content[place : place + length] = chance.randbytes(len(content[place : place + length]))
    path.write_bytes(content)
    for act in (inspect, use):
        with suppress(StoreError, UsageError):
            act(path)


SET_UP = """
import os, signal, sqlite3, sys
from pathlib import Path
from janitor.store import Store

class Mortal(sqlite3.Connection):
    left = int(sys.argv[2])
    def execute(self, *words):
        Mortal.left -= 1
        if Mortal.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*words)

connect = sqlite3.connect
sqlite3.connect = lambda *words, **named: connect(*words, factory=Mortal, **named)
Store.open(Path(sys.argv[1])).close()
"""


@pytest.mark.parametrize("statement", [1, 5, 9, 10, 12, 40, 100])
def test_a_database_whose_making_was_killed_is_made_by_the_next_run(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "janitor.db"
    killed = subprocess.run([sys.executable, "-c", SET_UP, path, str(statement)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert inspect(path).startswith("none yet")
    with Store.open(path) as store:
        assert store.latest_run() is None
    assert inspect(path).endswith("0 runs recorded")
