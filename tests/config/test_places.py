"""What the program writes is never what it reads: each case names the key, before anything is written."""

from pathlib import Path

import pytest

from janitor.config import load_settings
from janitor.errors import ConfigurationError
from janitor.notify.channels import SCHEMAS
from tests.config.configuration import TARGET

ELSEWHERE = "write it to another folder"
FOR_NAMES = "what is written would be read for names of images; write it elsewhere"


def problems_of(folder: Path, text: str) -> list[str]:
    """The problems of the configuration with these keys, without the name of the file and the line."""
    (folder / "janitor.yaml").write_text(text + TARGET, encoding="utf-8")
    try:
        load_settings(folder / "janitor.yaml", {}, lambda: SCHEMAS)
    except ConfigurationError as error:
        return [str(problem).split(": ", 1)[1] for problem in error.problems]
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with policies, and with texts that name images."""
    for name in ("policies/ci.yaml", "infra/main.tf", "infra/sub/x.tf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "alias").symlink_to("infra")
    return tmp_path


WRITTEN = {
    "database": "database: {}\n",
    "metrics_file": "metrics_file: {}\n",
    "channels[0].file": "channels: [{{file: {}}}]\n",
}
each_written = pytest.mark.parametrize(("key", "line"), WRITTEN.items(), ids=["database", "metrics", "reports"])


@each_written
@pytest.mark.parametrize("name", ["r.yaml", "r.yml", "ci.test.yaml"])
def test_what_would_be_read_as_a_policy_file_is_not_written(folder: Path, key: str, line: str, name: str) -> None:
    told = f'{key}: "{name}" would be read as a policy file: {ELSEWHERE}'
    assert problems_of(folder, line.format(f"policies/{name}")) == [told]


@each_written
@pytest.mark.parametrize("name", ["policies/r.jsonl", "policies/.r.yaml", "policies/sub/r.yaml", "r.yaml"])
def test_what_would_not_be_read_as_one_may_be_written(folder: Path, key: str, line: str, name: str) -> None:
    assert problems_of(folder, line.format(name)) == []


@each_written
def test_the_policies_may_be_one_file_or_have_links(folder: Path, key: str, line: str) -> None:
    told = f'{key}: "r" would be read as a policy file: {ELSEWHERE}'
    assert problems_of(folder, f"policies: r\n{line.format('r')}") == [told]
    (folder / "policies/z.yaml").symlink_to("../r")
    assert problems_of(folder, line.format("r")) == [told]
    (folder / "rules").symlink_to("policies")
    assert problems_of(folder, f"policies: rules\n{line.format('policies/r.yaml')}")


@each_written
@pytest.mark.parametrize("glob", ["infra/*", "infra/r*", "alias/*", "**/*.x", "*/r.[x]", "infra/r.x"])
def test_what_a_reference_matches_is_not_written(folder: Path, key: str, line: str, glob: str) -> None:
    told = problems_of(folder, f'references: [{{files: "{glob}"}}]\n{line.format("infra/r.x")}')
    assert told == [f'{key}: "r.x" is a file which the reference "{glob}" matches: {FOR_NAMES}']


@each_written
@pytest.mark.parametrize("glob", ["infra/*.tf", "infra/?", "*", "policies/**"])
def test_what_no_reference_matches_may_be_written(folder: Path, key: str, line: str, glob: str) -> None:
    assert (
        problems_of(
            folder,
            f'references: [{{files: "{glob}"}}]\ndatabase: out/j.db\n'.replace(
                "database: out/j.db\n", "" if key == "database" else "database: out/j.db\n"
            )
            + line.format("infra/.r.x" if glob == "*" else "infra/r.x"),
        )
        == []
    )


@pytest.mark.parametrize(
    ("line", "glob", "name"),
    [
        ("database: infra/j.db", "infra/*.mark", "j.db.mark"),
        ("database: infra/j.db", "infra/*-journal", "j.db-journal"),
        ("database: link.db", "infra/*.lock", "j.db.lock"),
        ("metrics_file: infra/r.prom", "infra/.*", ".r.prom.a1b2c3d4.tmp"),
        ("metrics_file: link.prom", "infra/.*.tmp", ".r.prom.a1b2c3d4.tmp"),
    ],
)
def test_what_is_written_beside_a_file_counts_too(folder: Path, line: str, glob: str, name: str) -> None:
    (folder / "link.db").symlink_to("infra/j.db")
    (folder / "link.prom").symlink_to("infra/r.prom")
    told = problems_of(folder, f'references: [{{files: "{glob}"}}]\n{line}\n')
    assert told == [f'{line.split(":")[0]}: "{name}" is a file which the reference "{glob}" matches: {FOR_NAMES}']


def test_the_configuration_itself_is_not_written(folder: Path) -> None:
    for key in ("database", "channels[0].file"):
        told = problems_of(folder, WRITTEN[key].format("./janitor.yaml"))
        assert told == [f'{key}: "janitor.yaml" is the configuration itself']
    assert len(problems_of(folder, WRITTEN["metrics_file"].format("janitor.yaml"))) == 1


def test_the_line_is_said_and_a_default_place_counts_too(folder: Path) -> None:
    (folder / "janitor.yaml").write_text(f"{TARGET}database: policies/r.yaml\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"janitor\.yaml:7: database: "):
        load_settings(folder / "janitor.yaml", {}, lambda: SCHEMAS)
    (told,) = problems_of(folder, 'references: [{files: "*"}]\n')
    assert told.startswith('database: "janitor.db" is a file which the reference "*" matches')


def test_an_unusual_place_is_said_once(folder: Path) -> None:
    text = 'references: [{files: "**"}]\ndatabase: policies/r.yaml\nmetrics_file: policies/r.yaml\n'
    assert len(problems_of(folder, text)) == 2


def test_files_are_said_before_they_and_their_folders_exist(folder: Path) -> None:
    text = 'references: [{files: "infra/**/*.x"}]\nmetrics_file: infra/not/yet/r.x\n'
    assert len(problems_of(folder, text)) == 1
