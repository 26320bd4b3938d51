"""The list of sentences has what people read, and not what programs read; and the sentences are plain."""

import re
from pathlib import Path

from tests.house.sentences import collect

# Each has a plain word, which the other sentences use: expired, greater than zero, out of range, last accepted survey.
_REPLACED = re.compile(
    r"\b(lapsed?|longer than nothing|beyond all measure|blotted out|decided anew|said yes|came to that status|"
    r"no end in sight|no wait has begun|channels of their own|nobody was told|at work|for so long|"
    r"looks wrong|bore out|deleted by us|looked at again|not one we know|any more, and may exist|anew|beneath|"
    r"asked for in|runs backwards|was good for|judged|any more|all the same)\b"
)


def test_a_module_gives_its_sentences_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "lock.py").write_text(
        '"""A docstring of a module."""\n'
        'KEY = "database"\n'
        'SQL = "SELECT run FROM runs"\n'
        "def refuse(pid: int) -> None:\n"
        '    """A docstring that is no help."""\n'
        "    raise ValueError(f\"{'another run' if pid else 'this run'} holds \" + f'the database: {pid}')\n"
    )

    assert [(s.folder, s.file, s.line, s.text) for s in collect(tmp_path)] == [
        ("store", "store/lock.py", 6, "another run"),
        ("store", "store/lock.py", 6, "this run"),
        ("store", "store/lock.py", 6, "… holds the database: …"),
    ]


def test_help_of_commands_is_read(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "app.py").write_text('@app.command()\ndef run():\n    """Run once."""\n')

    assert [s.text for s in collect(tmp_path)] == ["Run once."]


def test_the_program_has_sentences_in_every_folder_that_speaks_to_people() -> None:
    assert {s.folder for s in collect()} >= {"cli", "cloud", "config", "core", "notify", "report", "run", "store"}


def test_no_sentence_uses_a_word_that_has_a_plain_one() -> None:
    assert not [sentence for sentence in collect() if _REPLACED.search(sentence.text)]
