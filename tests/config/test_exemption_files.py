"""Exemptions in files: how long each of them lasts, and the message for a wrong one."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from janitor.config.policy_files import load_rules
from janitor.core.memory import Exemption
from tests.config.policies import GOOD, WritePolicies, problems_of

SEOUL = ZoneInfo("Asia/Seoul")


def exemptions_of(path: Path) -> list[Exemption]:
    return list(load_rules(path, SEOUL).exemptions)


def test_an_exemption_lasts_through_its_day_in_the_configured_zone(write_policies: WritePolicies) -> None:
    path = write_policies(
        "team-web.yaml",
        f"""\
exempt:
  - images: [golden-7, 5F1D0B6E-7C1D-4F3C-9B53-0F6C4E1D2A10]
    until: 2026-12-31
    why: rollback candidate
    by: kim
  - image: golden-8
    until: 2020-01-01T09:00:00+09:00
    why: >
      long
      over
{GOOD}""",
    )
    through = datetime(2026, 12, 31, 14, 59, 59, 999_999, tzinfo=UTC)

    assert exemptions_of(path) == [
        Exemption("golden-7", through, "rollback candidate", "kim"),
        Exemption("5F1D0B6E-7C1D-4F3C-9B53-0F6C4E1D2A10", through, "rollback candidate", "kim"),
        Exemption("golden-8", datetime(2020, 1, 1, tzinfo=UTC), "long over", "team-web.yaml"),
    ]


def test_a_file_may_hold_exemptions_only_but_not_every_file(write_policies: WritePolicies) -> None:
    path = write_policies("a.yaml", "exempt: [{image: a, until: 2026-12-31, why: so}]\n")
    assert problems_of(path) == ["policies: holds no policies, only exemptions"]

    write_policies("b.yaml", GOOD)
    rules = load_rules(path, SEOUL)
    assert ([policy.name for policy in rules.policies], len(rules.exemptions)) == (["NAME"], 1)


@pytest.mark.parametrize(
    ("entry", "problems"),
    [
        pytest.param(
            "{}",
            [
                "exempt[0].images: is missing: say which, by id or by name",
                "exempt[0].until: is missing: say until when, like 2026-12-31",
                "exempt[0].why: is missing: say why they stay",
            ],
            id="nothing",
        ),
        pytest.param(
            '{image: [a, ~], until: 2026-02-30, why: "", by: }',
            [
                "exempt[0].image[1]: is empty: write text, in quotes",
                'exempt[0].until: "2026-02-30" is not a date like 2026-12-31 or a time like 2026-12-31T18:00:00+09:00',
                "exempt[0].why: is empty: write text, in quotes",
                "exempt[0].by: is empty: give it a value or leave the key out",
            ],
            id="everything",
        ),
        pytest.param(
            "{image: a, until: 2026-12-31T18:00:00, why: so}",
            ['exempt[0].until: "2026-12-31T18:00:00" is not a date'],
            id="a-time-without-a-zone",
        ),
        pytest.param(
            "{images: a, image: b, until: 2026-12-31, why: so}",
            ["exempt[0].image: is given beside images, which means the same: give only one of them"],
            id="both-spellings",
        ),
        pytest.param(
            "{image: a, untill: 2026-12-31, until: 2026-12-31, why: so}",
            ['exempt[0].untill: unknown key, did you mean "until"?'],
            id="near-key",
        ),
        pytest.param(
            '{images: [a, "ci-*", "/^ci/"], until: 2026-12-31, why: so}',
            ['exempt[0].images[1]: "ci-*" is a pattern: write whole', 'exempt[0].images[2]: "/^ci/" is a pattern'],
            id="patterns",
        ),
        pytest.param("{images: [], until: 2026-12-31, why: so}", ["exempt[0].images: must not be empty"], id="none"),
        pytest.param("golden", ["exempt[0]: is text: write keys and values"], id="a-name-alone"),
    ],
)
def test_every_problem_of_an_exemption_is_told(write_policies: WritePolicies, entry: str, problems: list[str]) -> None:
    told = problems_of(write_policies("a.yaml", f"exempt:\n  - {entry}\n{GOOD}"))

    assert len(told) == len(problems)
    for said, problem in zip(told, problems, strict=True):
        assert said.startswith(f"policies/a.yaml:2: {problem}")


@pytest.mark.parametrize("line", ["exempt:", "exempt: []", "exempt: {a: b}"])
def test_a_list_of_exemptions_holds_some(write_policies: WritePolicies, line: str) -> None:
    (told,) = problems_of(write_policies("a.yaml", f"{line}\n{GOOD}"))

    assert told.startswith("policies/a.yaml:1: exempt: ")
