"""The folder of the policies, whatever is in it: read in order, within bounds, and with every file named."""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest

from janitor.config import policy_files
from janitor.config.policy_files import load_policies, load_rules
from janitor.documents import Document, Keys
from tests.config.policies import GOOD, WritePolicies, problems_of


def test_a_directory_is_read_in_the_order_of_file_names(write_policies: WritePolicies) -> None:
    for name in ("20-b.yaml", "10-c.yml", "9-a.yaml"):
        write_policies(name, GOOD.replace("NAME", name))
    write_policies("README.md", "not a policy")
    write_policies(".hidden.yaml", "not: [a policy")
    Path("policies/sub.yaml").mkdir()

    assert [policy.name for policy in load_policies(Path("policies"))] == ["10-c.yml", "20-b.yaml", "9-a.yaml"]


def test_one_file_may_stand_for_the_directory(write_policies: WritePolicies) -> None:
    write_policies("a.yaml", GOOD)
    write_policies("b.yaml", "not: [a policy")

    assert [policy.name for policy in load_policies(Path("policies/a.yaml"))] == ["NAME"]


def test_no_policies_at_all_is_a_problem(write_policies: WritePolicies) -> None:
    write_policies("README.md", "soon")

    assert problems_of(Path("policies")) == ["policies: holds no policies: no *.yaml or *.yml file is in it"]
    assert problems_of(Path("nowhere")) == [
        "nowhere: cannot be read: No such file or directory: `policies` in janitor.yaml names the folder (or file) of "
        "policies"
    ]


def test_a_link_to_nowhere_is_a_problem_because_its_policies_would_be_missed(write_policies: WritePolicies) -> None:
    write_policies("b.yaml", GOOD)
    Path("policies/a.yaml").symlink_to("nowhere")

    assert problems_of(Path("policies")) == ["policies/a.yaml: cannot be read: No such file or directory"]


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: os.mkfifo(path), id="fifo"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="link-to-a-device"),
        pytest.param(_socket, id="socket"),
    ],
)
@pytest.mark.parametrize("alone", [True, False], ids=["as-the-policies", "in-the-folder"])
def test_what_is_no_regular_file_is_an_error_that_names_it(
    write_policies: WritePolicies, make: Callable[[Path], None], alone: bool
) -> None:
    folder = write_policies("b.yaml", "policies: [{name: x, match: {name: a}}]\n")
    make(Path("policies/a.yaml"))
    told = problems_of(Path("policies/a.yaml") if alone else folder)
    assert told == ["policies/a.yaml: cannot be read: it is not a regular file"]


def test_a_config_map_of_kubernetes_is_read(write_policies: WritePolicies) -> None:
    folder = write_policies("notes.md", "not a policy")
    (folder / "..2026_11_26").mkdir()
    (folder / "..2026_11_26/ci.yaml").write_text("policies: [{name: x, match: {name: a}}]\n")
    (folder / "..data").symlink_to("..2026_11_26")
    (folder / "ci.yaml").symlink_to("..data/ci.yaml")
    rules = load_rules(folder, UTC)
    assert [policy.name for policy in rules.policies] == ["x"]
    assert rules.passed_over == ()


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_a_file_that_is_too_large_is_told_by_its_size(write_policies: WritePolicies) -> None:
    folder = write_policies("b.yaml", "policies: [{name: x, match: {name: a}}]\n")
    _sparse(folder / "a.yaml", 2**40)
    assert problems_of(Path("policies/a.yaml")) == ["policies/a.yaml: is larger than 4 MiB"]
    assert problems_of(folder) == ["policies/a.yaml: is larger than 4 MiB"]


def test_files_that_are_too_large_together_are_not_read(
    write_policies: WritePolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_policies("b.yaml", "policies: [{name: x, match: {name: a}}]\n")
    for number in range(4):
        _sparse(folder / f"{number}.yaml", 4 * 2**20)
    read: list[Path] = []
    monkeypatch.setattr("janitor.config.policy_files.content_in", read.append)
    assert problems_of(folder) == ["policies: holds more than 16 MiB of policy files"]
    assert read == []


def test_too_many_values_are_refused_before_they_are_read(
    write_policies: WritePolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "".join(f"  - name: p{number}\n    match: {{name: 'ci-{number}-*'}}\n" for number in range(34_000))
    folder = write_policies("a.yaml", f"policies:\n{rules}")
    monkeypatch.setattr("janitor.documents.Builder", None)
    monkeypatch.setattr("janitor.documents.Loader", None)
    assert problems_of(folder) == ["policies/a.yaml:50001: holds more than 100000 values"]


def test_the_policies_of_many_faults_are_named_in_one_look(
    write_policies: WritePolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "".join(f"  - {{name: p{number}, match: {{name: a}}, expire: {{}}}}\n" for number in range(50))
    looks: list[Document] = []
    names = policy_files._names

    def counting(document: Document) -> Iterator[tuple[Keys, str]]:
        looks.append(document)
        return names(document)

    monkeypatch.setattr(policy_files, "_names", counting)
    told = problems_of(write_policies("a.yaml", f"policies:\n{rules}"))
    assert len(told) == 50
    assert told[49].startswith("policies/a.yaml:51: p49: expire.after")
    assert len(looks) <= 2
