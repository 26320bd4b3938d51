"""The wheel has what users need: the marker of typed packages, shipped policies, the sandbox's page; and no tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_says_that_it_is_typed_and_brings_the_policies(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("image_janitor-*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert "janitor/py.typed" in names
    assert {f"janitor/sandbox/slack/page/assets/page.{kind}" for kind in ("html", "css", "js")} <= set(names)
    assert {f"janitor/policies/{path.name}" for path in (ROOT / "policies").iterdir()} <= set(names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"janitor"}
