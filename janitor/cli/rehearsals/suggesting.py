"""One policy tried at several lengths and counts on what was recorded: all of them in one reading of the nights."""

from collections.abc import Sequence
from dataclasses import replace

from janitor.cli.rehearsals.backtesting import Asked, in_each_target, recorded_after, ruling_of
from janitor.cloud.apis import wire_keys
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.policy import Policy
from janitor.core.replay.backtest import Replay
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.nights import RecordedNight, Since
from janitor.core.replay.outcomes.variants import Trial, Variant, variants_of, with_variant
from janitor.core.replay.replayed import NightDeletion, ReplayedNight, Ruling
from janitor.documents.schema import suggestion
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.report.rehearsals.backtests.backtest import TargetBacktest
from janitor.report.rehearsals.backtests.suggestion import Suggestion
from janitor.store import Store
from janitor.store.transactions.backtests import Past


def suggested(settings: Settings, rules: Rules, store: Store, asked: Asked, name: str) -> Suggestion:
    """What the policy of this name would have come to at other values; without a name, the only one that expires.

    Raises UsageError for a policy that does not expire, and as `backtested`.
    """
    policy = chosen(rules.policies, name)
    trials = [Trial(variant) for variant in variants_of(policy)]

    def tried(past: Past, target: str) -> TargetBacktest | None:
        return _try(settings, rules, past, target, asked.since, trials)

    present, without = in_each_target(settings, store, asked, tried)
    return Suggestion(policy.name, asked.policies, asked.since, present, trials, without)


def chosen(policies: Sequence[Policy], name: str) -> Policy:
    """The policy of this name, or the only one that expires. Raises UsageError where there is none."""
    expiring = [each for each in policies if each.expire is not None]
    names = ", ".join(visible(each.name) for each in expiring)
    if not expiring:
        raise UsageError("--suggest: no policy has `expire`, so there is nothing to try")
    if not name:
        if len(expiring) > 1:
            raise UsageError(f"--suggest: several policies expire, say which: {names}")
        return expiring[0]
    found = next((each for each in policies if each.name == name), None)
    if found is None:
        near = suggestion(name, [each.name for each in expiring])
        raise UsageError(f'--suggest: there is no policy "{visible(name)}"{near or ";"} those that expire are {names}')
    if found.expire is None:
        raise UsageError(f"--suggest: {visible(name)} keeps all it matches, forever; those that expire are {names}")
    return found


def _try(
    settings: Settings, rules: Rules, past: Past, target: str, since: Since, trials: Sequence[Trial]
) -> TargetBacktest | None:
    """Replay the nights of a target for every variant, and count what comes of each.

    Returns what comes of the policy as it is now; None where no night is recorded.
    """
    ruling = ruling_of(settings, rules, target)
    replays = _replayed(trials, ruling)
    for night in past.nights(target, since):
        for replay in dict.fromkeys(replays):
            replay.follow(night)
    after = recorded_after(past, target, [one for replay in dict.fromkeys(replays) for one in replay.made])
    for trial, replay in zip(trials, replays, strict=True):
        looked_back = hindsight_of(replay.made, after, settings.timezone, wire_keys)
        trial.add(looked_back)
        trial.found.add_target(target, looked_back, replay.nights, trial.variant.policy.name)
    present = next(replay for trial, replay in zip(trials, replays, strict=True) if trial.variant.present)
    if not present.nights:
        return None
    hindsight = hindsight_of(present.made, after, settings.timezone, wire_keys)
    return TargetBacktest(target, present.nights, hindsight)


class _Replayed:
    """A replay without what waits in each night but the last, which would take much memory for many variants."""

    def __init__(self, ruling: Ruling) -> None:
        self._replay = Replay(ruling)
        self.made: list[NightDeletion] = []
        self.nights: list[ReplayedNight] = []
        self._last: int | None = None

    def follow(self, night: RecordedNight) -> None:
        """Replay the next night."""
        made = self._replay.night(night)
        self.made += made.deletions
        if made.decided:
            if self._last is not None:
                self.nights[self._last] = replace(self.nights[self._last], waiting=())
            self._last = len(self.nights)
        self.nights.append(made)


def _replayed(trials: Sequence[Trial], ruling: Ruling) -> list[_Replayed]:
    """A replay for each variant; those that leave the policy as it is have one."""
    as_it_is = _Replayed(ruling)
    return [as_it_is if each.variant.present else _Replayed(_varied(ruling, each.variant)) for each in trials]


def _varied(ruling: Ruling, variant: Variant) -> Ruling:
    return replace(ruling, basis=replace(ruling.basis, policies=with_variant(ruling.basis.policies, variant)))
