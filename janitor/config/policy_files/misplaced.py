"""What stands in a file of another name than it should: an error, and never ignored.

That is policies and exemptions in a file of tests, which no run would heed, and tests in a file of policies.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from janitor.documents import Document, Fault, display, parse_document
from janitor.errors import ConfigurationError, Problem
from janitor.files import UnusableFile, content_of, text_in

RULES = ("policies", "exempt")
_MOVE = "is not read in a *.test.yaml or *.test.yml file, which holds tests: move it to a file of another name"
MISNAMED = "looks like a test of policies, and is read as policies: name it *.test.yaml"
_ONLY_TESTS = frozenset({"expect", "images"})
_MAY_HOLD = re.compile(rf"\b(?:{'|'.join(RULES)})\b|\\")
_BEGINS = re.compile(rf"^[\"']?(?:{'|'.join(RULES)})\b", re.MULTILINE)


def looks_like_tests(document: Document) -> bool:
    """Whether a file of policies has none, and keys that only tests have."""
    data = document.data if isinstance(document.data, dict) else {}
    return not data.keys() & set(RULES) and bool(data.keys() & _ONLY_TESTS)


def rules_of_tests(document: Document) -> Iterator[Fault]:
    """The keys of a file of tests that only policy files have."""
    data = document.data if isinstance(document.data, dict) else {}
    return (Fault((key,), _MOVE) for key in RULES if key in data)


def misplaced_rules(path: Path) -> tuple[Problem, ...]:
    """The policies and exemptions in a file of tests; whatever else is wrong with its text is no matter of a run.

    A file that cannot be read at all is a problem, as they may be in it.
    """
    try:
        text = text_in(content := content_of(path))
        if not _MAY_HOLD.search(text):
            return ()  # by far quicker than reading YAML
        document = parse_document(display(path), content)
        return tuple(document.problem(fault) for fault in rules_of_tests(document))
    except UnusableFile as error:
        return (Problem(display(path), error.line, str(error)),)
    except ConfigurationError as error:
        return error.problems if _BEGINS.search(text) else ()
