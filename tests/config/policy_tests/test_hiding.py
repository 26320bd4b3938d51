"""A default must not hide what a run does: a test says its target and its owners where policies go by them."""

from itertools import product
from pathlib import Path

import pytest

from janitor.errors import ConfigurationError
from tests.config.policy_tests.written import CI, results

LAST = '  - {name: rest, match: {name: "*"}}\n'


def policies(*matches: str) -> str:
    """Policies that expire what matches these conditions; the last keeps everything else."""
    rows = (
        f"  - {{name: p{place}, match: {{{match}}}, expire: {{after: 14d}}}}\n" for place, match in enumerate(matches)
    )
    return "".join(("policies:\n", *rows, LAST))


def problems(folder: Path, rules: str, *images: str, top: str = "") -> list[str]:
    """What is wrong with a test of images that are written so; anything is expected of them."""
    names = ", ".join(f"x{place}: any" for place in range(len(images)))
    rows = "".join(f"  - {{name: x{place}{image}}}\n" for place, image in enumerate(images))
    try:
        results(folder, f"now: 2026-06-01\n{top}images:\n{rows}expect: {{{names}}}\n", rules)
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


TARGET = (
    "ci.test.yaml:3: images[0]: whether policy p0 owns x0 depends on the target: give `target`, with its name, at the "
    "top of the file"
)
OWNER = "ci.test.yaml:3: images[0]: whether policy p0 owns x0 depends on its owner: give `owner`, its project"


@pytest.mark.parametrize(
    ("match", "image", "said"),
    [
        pytest.param('name: "x*", targets: ["prod*"]', "", [TARGET], id="another-target-has-it"),
        pytest.param("name: x0, targets: [test]", "", [TARGET], id="the-default-itself-is-named"),
        pytest.param("not: {targets: [prod]}", "", [TARGET], id="excluded"),
        pytest.param("not: {name: 'x*', not: {targets: [prod]}}", "", [TARGET], id="excluded-twice"),
        pytest.param("owner: [team-a]", "", [OWNER], id="another-owner-has-it"),
        pytest.param("not: {owner: [team-a]}", "", [OWNER], id="not-that-owner"),
        pytest.param("owner: [team-a]", ", owned: false", [OWNER], id="of-another-project"),
        pytest.param("targets: [prod], owner: [team-a]", "", [OWNER, TARGET], id="both"),
        pytest.param("targets: [prod], owner: [team-a]", ", owner: team-a", [TARGET], id="both-and-the-owner-is-given"),
        pytest.param("targets: [prod], owner: [team-a]", ", owner: team-b", [], id="no-target-could-make-it-match"),
        pytest.param("name: y, targets: [prod]", "", [], id="another-name"),
        pytest.param("name: y, owner: [team-a]", "", [], id="another-name-of-an-owner"),
        pytest.param("targets: ['*']", "", [], id="every-target"),
        pytest.param("owner: ['*']", "", [], id="every-owner"),
        pytest.param("owner: [team-a]", ", unknown: [owner]", [], id="unknown-is-given"),
        pytest.param("larger_than: 1GiB", "", [], id="another-condition"),
    ],
)
def test_only_what_decides_has_to_be_given(tmp_path: Path, match: str, image: str, said: list[str]) -> None:
    assert sorted(problems(tmp_path, policies(match), image)) == said


@pytest.mark.parametrize("top", ["target: prod\n", "target: [a, prod]\n", "target: stage\n"])
def test_a_given_target_is_enough(tmp_path: Path, top: str) -> None:
    assert problems(tmp_path, policies("targets: ['prod*']"), "", "", top=top) == []


def test_the_target_is_asked_for_once_and_each_owner(tmp_path: Path) -> None:
    rules = policies("targets: [prod]", "owner: [team-a]")
    said = problems(tmp_path, rules, "", "", ", owner: team-a")
    assert sorted(line.split(": ", 2)[2].split(": ")[0] for line in said) == [
        "whether policy p0 owns x0 depends on the target",
        "whether policy p1 owns x0 depends on its owner",
        "whether policy p1 owns x1 depends on its owner",
    ]


def test_an_earlier_policy_that_owns_the_image_anyway_hides_a_later_one(tmp_path: Path) -> None:
    assert problems(tmp_path, policies("name: x0", "targets: [prod]"), "") == []


def test_policies_without_such_conditions_need_nothing(tmp_path: Path) -> None:
    assert problems(tmp_path, CI, "", "") == []


CONDITIONS = ("targets: [prod]", "not: {targets: [prod]}", "owner: [team-a]", "not: {owner: [team-a]}", "name: x0")


@pytest.mark.parametrize("matches", list(product(CONDITIONS, repeat=2)), ids=" then ".join)
def test_it_is_asked_for_until_nothing_else_could_rule(tmp_path: Path, matches: tuple[str, str]) -> None:
    """Held against every target and every owner that the conditions can tell apart."""
    rules, targets, projects = policies(*matches), ("prod", "test"), ("team-a", "our-project")
    owners = {
        (target, project): results(
            tmp_path,
            f"{{now: 2026-06-01, target: {target}, images: [{{name: x0, owner: {project}}}], expect: {{x0: any}}}}",
            rules,
        )[0].owner
        for target, project in product(targets, projects)
    }
    said = " ".join(problems(tmp_path, rules, ""))
    assert bool(said) == (len(set(owners.values())) > 1)
    if "the target" in said:
        assert any(owners["prod", project] != owners["test", project] for project in projects)
    if "its owner" in said:
        assert any(owners[target, "team-a"] != owners[target, "our-project"] for target in targets)
    for target in targets:
        differ = owners[target, "team-a"] != owners[target, "our-project"]
        assert bool(problems(tmp_path, rules, "", top=f"target: {target}\n")) == differ
    for project in projects:
        differ = owners["prod", project] != owners["test", project]
        assert bool(problems(tmp_path, rules, f", owner: {project}")) == differ
