"""Judges tests of policies: the same decisions as in a run, held against what was expected. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from janitor.core.image import Image
from janitor.core.matching import Matched
from janitor.core.memory import Notice
from janitor.core.policy import Policy
from janitor.core.policy_tests.cases import Judged, JudgedFile, PolicyTest
from janitor.core.replay.inputs import decided
from janitor.expressions import Budget


def judged(test: PolicyTest, policies: Sequence[Policy]) -> JudgedFile:
    """The cases of a test in their order, as these policies decide on them.

    An image that is announced was so by the policy that owns it, for as long as that says, and people were reminded in
    time.
    """
    night, budget = test.night, Budget()
    matched = Matched(policies, night.names, budget)
    owners = {image.id: _owner(matched, image) for image in night.images}
    notices = {
        image: _notice(policy, test.announced[image])
        for image, policy in owners.items()
        if policy is not None and policy.expire is not None and image in test.announced
    }
    night = replace(night, memory=replace(night.memory, notices=notices))
    decisions = {each.image.id: each for each in decided(night, policies, budget=budget, matched=matched)}
    names = {image: None if policy is None else policy.name for image, policy in owners.items()}
    cases = (Judged(case, decisions[case.image], names[case.image]) for case in test.cases)
    return JudgedFile(test.file, night.zone, tuple(cases))


def unexercised(files: Iterable[JudgedFile], policies: Iterable[Policy]) -> tuple[str, ...]:
    """The policies that own no image of these tests, in their order."""
    owners = {each.owner for file in files for each in file.judged}
    return tuple(policy.name for policy in policies if policy.name not in owners)


def _owner(matched: Matched, image: Image) -> Policy | None:
    owner = matched.owner_of(image)
    return owner.policy if owner.doubtful is None else None


def _notice(policy: Policy, announced_at: datetime) -> Notice:
    return Notice(policy.name, policy.notice, announced_at, announced_at + policy.notice)
