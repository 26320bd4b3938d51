"""History is kept as long as anything that decides looks back: a shorter time is an error that says what does."""

from pathlib import Path

import pytest

from janitor.cli import configuration
from janitor.errors import ConfigurationError

TARGET = (
    "targets: [{name: prod, appkey: k, username: u, password: p}]\nslack: {webhook_url: 'https://hooks.example/x'}\n"
)
POLICIES = """\
policies:
  - {name: ci, match: {name: "ci-*"}, expire: {after: 90d}, notice: 20d}
  - {name: golden, match: {name: "golden-*"}}
"""


def loaded(folder: Path, *lines: str) -> None:
    (folder / "janitor.yaml").write_text(TARGET + "".join(f"{line}\n" for line in lines))
    (folder / "policies").mkdir()
    (folder / "policies" / "ci.yaml").write_text(POLICIES)
    configuration.load(folder / "janitor.yaml")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["keep_history: 89d"], "keep_history: 89d is too short: expire.after of policy ci looks back 90d"),
        (["keep_history: 20d"], "notice of policy ci, with a week, looks back 27d"),
        (["keep_history: 100d", "usage_memory: 94d"], "usage_memory, with a week, looks back 101d"),
        (["keep_history: 100d", "plan_validity: 101d"], "plan_validity looks back 101d"),
        (["keep_history: 0d"], 'keep_history: "0d" must be greater than zero'),
        (["keep_history: 400"], "keep_history: is a number: write a duration with its unit"),
    ],
)
def test_what_looks_further_back_is_named(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match="keep_history") as raised:
        loaded(tmp_path, *lines)
    assert said in str(raised.value)
    assert "janitor.yaml" in str(raised.value)


@pytest.mark.parametrize("lines", [["keep_history: 90d"], ["keep_history:"], []])
def test_as_long_as_the_longest_look_back_is_enough_and_without_the_key_all_is_kept(
    tmp_path: Path, lines: list[str]
) -> None:
    loaded(tmp_path, *lines)
