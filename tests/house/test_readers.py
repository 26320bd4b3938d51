"""The version of what reads images is raised with it: digests of entries stand for what was read from them."""

import ast
import hashlib
from pathlib import Path

import janitor
from janitor.cloud.common.entries import READERS

ROOT = Path(janitor.__file__).parent
MODULES = (
    "cloud/common/raw_entries.py",
    "cloud/common/records.py",
    "cloud/common/wire.py",
    "cloud/openstack/records.py",
    "cloud/toast/records.py",
    "transport/json_body.py",
)
RECORDED = (1, "075a4b988c2c1140")


def code_of(path: Path) -> str:
    """A module's code without its docstrings and comments, however it is laid out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant("")
    return ast.dump(tree)


def test_the_version_is_that_of_this_code() -> None:
    code = "\n".join(code_of(ROOT / module) for module in MODULES)
    now = (READERS, hashlib.sha256(code.encode()).hexdigest()[:16])
    assert now == RECORDED, (
        "what reads images has changed: raise READERS in janitor/cloud/common/entries.py if any entry may now be read "
        f"as something else, and record {now} here"
    )
