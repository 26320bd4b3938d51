"""The inputs of a past run's decisions, and these decisions made again: by the same policies, or by others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from janitor.core.basis import Basis, Grounds
from janitor.core.decide import decide
from janitor.core.decision import Decision
from janitor.core.image import Image, Sharing
from janitor.core.matching import Matched
from janitor.core.memory import History, Memory
from janitor.core.names.wire_keys import WireKeys
from janitor.core.policy import Policy
from janitor.core.sharing import apply_sharing
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.expressions import Budget


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one run's decisions on one target.

    `also_named` are other names by which policies may know the target. The survey holds the images, what used them, and
    the instant of the decision, which is the survey's end. `api` is the name of the target's API, None where that was
    not recorded. `history` is by image id, as that run knew it. Each of the last three is None where it was not
    recorded, as for earlier versions; `grounds` also where nothing was decided.
    """

    target: str
    also_named: tuple[str, ...]
    api: str | None
    survey: Survey
    history: Mapping[str, History] | None
    basis: Basis | None
    grounds: Grounds | None


@dataclass(frozen=True, slots=True)
class Night:
    """What a decision on one target depends on, besides policies: as a night had it before it, or as it would have.

    `names` are those by which policies may know the target, its own first. `history` and `sharing` are by image id; an
    image that is not in `sharing` counts as shared with nobody. `wire_keys` are the API's names for fields of images.
    """

    names: tuple[str, ...]
    images: Sequence[Image]
    usage: Usage
    history: Mapping[str, History]
    now: datetime
    zone: tzinfo
    memory: Memory
    sharing: Mapping[str, Sharing]
    wire_keys: WireKeys


def decided(
    night: Night, policies: Sequence[Policy], *, budget: Budget | None = None, matched: Matched | None = None
) -> list[Decision]:
    """What a run of that night decides by these policies: oldest image first, undated ones before all, ties by id.

    `budget` and `matched` are those of `decide`.
    """
    target, *also_named = night.names
    ruled = decide(
        night.images,
        policies,
        night.usage,
        night.history,
        night.now,
        target=target,
        also_named=also_named,
        zone=night.zone,
        memory=night.memory,
        budget=budget,
        wire_keys=night.wire_keys,
        matched=matched,
    )
    return apply_sharing(ruled, night.sharing)


def later(night: Night, now: datetime) -> Night:
    """The same at a later instant, as the next run would know it if nothing had changed.

    For that run the survey of the night is an earlier one: what that did not see in use has been unused since, whether
    it was accepted or not.
    """
    if now <= night.now:
        return replace(night, now=now)
    unused = {
        image: known.replace(unused_since=night.now)
        for image, known in night.history.items()
        if known.unused_since is None and known.last_held is not None and known.last_held < night.now
    }
    return replace(night, now=now, history={**night.history, **unused})


def night_of(inputs: Inputs, basis: Basis, grounds: Grounds, wire_keys: WireKeys) -> Night:
    """The night of these inputs as it was: for a run whose inputs were recorded whole, decided on exactly again.

    `basis` and `grounds` are those of the inputs, or what stands for them where they were not recorded; so do empty
    histories.
    """
    return Night(
        (inputs.target, *inputs.also_named),
        inputs.survey.images,
        inputs.survey.usage,
        inputs.history or {},
        inputs.survey.finished_at,
        basis.zone,
        grounds.memory,
        grounds.sharing,
        wire_keys,
    )
