"""What is wrong with a text that is not YAML, or that YAML does not read as it was meant, in words and with its line.

No message repeats text of the file: it could be a password that lacks its quotes.
"""

import re

import yaml

_NAMED = re.compile(r" '[\w!-]{2,}'")
_NO_BEGINNING = re.compile("found character '([@`])' that cannot start any token")
_SECOND_COLON = re.compile(r":[ \t].*\Z")
_COMMENT = re.compile(r"[ \t]+#\S")
# A comment without a blank after its #, where a value may begin, that swallows the end of a flow collection.
_SWALLOWED_END = re.compile(r"(?::[ \t]+|[\[{,][ \t]*)#\S[^\n]*[}\]]")
_HASH = 'a text that begins with # must be in quotes, like "#team"'
TAKEN_FOR_COMMENT = f"is empty, as # begins a comment: {_HASH}"
_EXAMPLES = {"@": ', like "@kim"'}


def is_comment(text: str, index: int) -> bool:
    """Whether a comment follows there that is written like a text: `#team`, without a blank after the #."""
    return _COMMENT.match(text, index) is not None


def described(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """The line of the mistake, where it is known, and a sentence that says what it is."""
    swallowed = _swallowed(error, text)
    if swallowed is not None:
        return text.count("\n", 0, swallowed) + 1, f"is not YAML: # begins a comment: {_HASH}"
    return _line_of(error, text), _sentence(error, text)


def _swallowed(error: yaml.YAMLError, text: str) -> int | None:
    """Where the comment is that swallows the end of the `{ }` or `[ ]` that does not end, if it is one."""
    start, end = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if start is None or end is None or "flow" not in (getattr(error, "context", None) or ""):
        return None
    found = _SWALLOWED_END.search(text, start.index, end.index)
    return found and found.start()


def _line_of(error: yaml.YAMLError, text: str) -> int | None:
    if isinstance(error, yaml.reader.ReaderError):
        return text.count("\n", 0, error.position) + 1
    mark = getattr(error, "problem_mark", None)
    return None if mark is None else mark.line + 1


def _sentence(error: yaml.YAMLError, text: str) -> str:
    context, problem = getattr(error, "context", None) or "", getattr(error, "problem", None)
    if context.startswith("expected a single document"):
        return "holds more than one document (---): only one is read"
    if "alias" in context or "alias" in (problem or ""):
        return "is not YAML: a text that begins with * must be in quotes"
    if problem is None:
        return "is not YAML: it holds a character that YAML does not allow"
    if "'%'" in problem:
        return "is not YAML: a text that begins with % must be in quotes; {% … %} is not filled in here"
    if "'\\t'" in problem:
        return "is not YAML: it has a tab where only spaces are allowed"
    if begins := _NO_BEGINNING.match(problem):
        return f"is not YAML: a text that begins with {begins[1]} must be in quotes{_EXAMPLES.get(begins[1], '')}"
    if problem.startswith("mapping values are not allowed"):
        return f"is not YAML: {_colon(error, text)}"
    hint = ": inside { } and [ ], a text that holds one of these or a ? must be in quotes" if "flow" in context else ""
    return f"is not YAML: {_NAMED.sub('', problem)}{hint}"


def _colon(error: yaml.YAMLError, text: str) -> str:
    """What a colon means that makes no key there: a second one in its line, or a line that goes on with a text."""
    end = getattr(error, "problem_mark", None)
    before = "" if end is None else text[: end.index].rpartition("\n")[2]
    if _SECOND_COLON.search(before):
        return 'a text that holds a colon before a blank must be in quotes, like "a: b"'
    return "a key is not allowed here: its line is indented too far, or goes on with a text, which must be in quotes"
