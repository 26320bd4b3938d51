"""Tests of policies as people write them, read beside a file of policies and judged."""

from dataclasses import replace
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from textwrap import dedent

import pytest

from janitor.config.policy_files import load_rules
from janitor.config.policy_tests import read_test
from janitor.config.policy_tests.making import Footing
from janitor.core.policy import Match, Pattern, Policy
from janitor.core.policy_tests.cases import Judged
from janitor.core.policy_tests.judging import judged
from janitor.documents import parse_document
from janitor.errors import ConfigurationError

FOOTING = Footing(UTC, timedelta(hours=72))
CI = """\
policies:
  - {name: ci-images, match: {name: "ci-*"}, expire: {after: 14d}}
  - {name: golden, match: {name: "golden-*"}}
"""


def results(folder: Path, test: str, policies: str = CI, zone: tzinfo = UTC) -> list[Judged]:
    """Every case of a test, judged by these policies."""
    (folder / "ci.yaml").write_text(dedent(policies), encoding="utf-8")
    rules = load_rules(folder, zone)
    footing = replace(FOOTING, zone=zone, exemptions=rules.exemptions)
    document = parse_document("ci.test.yaml", dedent(test).encode())
    return list(judged(read_test(document, rules.policies, footing), rules.policies).judged)


def decided(folder: Path, image: str, policies: str = CI, zone: tzinfo = UTC) -> tuple[str, str, str | None]:
    """The verdict, the reason and the owner of one image, written as in a list of images."""
    test = f"{{now: 2026-06-01, images: [{image}], expect: {{x: any}}}}"
    [each] = results(folder, test, policies, zone)
    assert each.holds
    return str(each.decision.verdict), str(each.decision.reason), each.owner


def problems_of(test: str) -> list[str]:
    """What is wrong with a test of the policies `ci-images` and `golden`."""
    policies = [Policy(name, Match(name=(Pattern(name[:3] + "*"),))) for name in ("ci-images", "golden")]
    with pytest.raises(ConfigurationError) as caught:
        read_test(parse_document("ci.test.yaml", dedent(test).encode()), policies, FOOTING)
    return [str(problem) for problem in caught.value.problems]
