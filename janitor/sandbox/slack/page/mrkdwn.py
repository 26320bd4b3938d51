"""Slack's mrkdwn as HTML: what formats there formats here, and everything else is plain text.

Format: docs.slack.dev/messaging/formatting-message-text.
"""

import re
from collections.abc import Callable, Mapping
from html import escape

_ENTITIES = re.compile("&(amp|lt|gt);")
_MARKS = {"amp": "&", "lt": "<", "gt": ">"}
_LITERAL = re.compile(r"```(?P<pre>.+?)```(?!`)|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]+)>", re.DOTALL)
_MARKED = re.compile(
    r"(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)
_PLACE = "\0"
_QUOTED = re.compile(r"^(?:>|&gt;) ?")
_DATE = re.compile(r"!date\^\d+\^.*")

Names = Mapping[str, str]
"""How people and channels are called, by their ids."""


def html_of(text: str, names: Names) -> str:
    """The HTML of a mrkdwn text. Line breaks stay as they are."""
    literals: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        literals.append(_KINDS[found.lastgroup or ""](found[found.lastgroup or ""], names))
        return _PLACE

    # What is literal formats nothing around it, so it is put aside first; its place is a mark that no text keeps.
    rest = _LITERAL.sub(put_aside, text.replace(_PLACE, "\N{REPLACEMENT CHARACTER}"))
    first, *following = "\n".join(map(_line, rest.split("\n"))).split(_PLACE)
    return first + "".join(literal + after for literal, after in zip(literals, following, strict=True))


def shown(text: str) -> str:
    """Plain text, whose characters are escaped as mrkdwn has them, as HTML."""
    return escape(_ENTITIES.sub(lambda found: _MARKS[found[1]], text))


def _line(text: str) -> str:
    quoted = _QUOTED.match(text)
    return f"<q>{_marked(text[quoted.end() :])}</q>" if quoted else _marked(text)


def _marked(text: str) -> str:
    done, parts = 0, []
    for found in _MARKED.finditer(text):
        tag = found.lastgroup
        parts += [shown(text[done : found.start()]), f"<{tag}>{_marked(found[tag or 0])}</{tag}>"]
        done = found.end()
    return "".join(parts) + shown(text[done:])


def _literal(tag: str) -> Callable[[str, Names], str]:
    return lambda text, _names: f"<{tag}>{shown(text)}</{tag}>"


def _angle(text: str, names: Names) -> str:
    """What stands between angle brackets acts: a mention, a call to everyone, or a link."""
    target, _, label = text.partition("|")
    match target[:1]:
        case "@" | "#":
            name = names.get(target[1:]) or label or target[1:]
            return f'<b class="mention">{escape(target[0])}{shown(name.lstrip("@#"))}</b>'
        case "!":
            if _DATE.match(target):
                return shown(label)
            return f'<b class="mention everyone">@{shown(label or target[1:])}</b>'
        case _:
            return _link(target, label)


def _link(target: str, label: str) -> str:
    if not target.startswith(("http://", "https://", "mailto:")):
        return shown(label or target)
    address = escape(_ENTITIES.sub(lambda found: _MARKS[found[1]], target))
    return f'<a href="{address}" rel="noopener noreferrer" target="_blank">{shown(label or target)}</a>'


_KINDS: Mapping[str, Callable[[str, Names], str]] = {"pre": _literal("pre"), "code": _literal("code"), "angle": _angle}
