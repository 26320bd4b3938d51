"""The documents of the project, and what can be read from them: code blocks, headings, links."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = tuple(sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def document(name: str) -> str:
    """The text of a document, by its path from the top of the repository."""
    return text_of(ROOT / name)


def blocks(language: str, text: str) -> list[str]:
    """The code blocks of a language, without the indent of the list that they may be in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in block.splitlines()) for indent, block in found]


def without_blocks(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Where links into a document may lead, as GitHub and GitLab name headings."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Where the links of a document lead."""
    return re.findall(r"\]\(([^)\s]+)\)", without_blocks(text))
