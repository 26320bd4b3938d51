"""Everything known about one image, collected from the database, the policy files and the configuration."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from janitor.cli.configuration import next_run_of
from janitor.cloud.apis import wire_keys
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.exemptions import active, exemptions_by_tag, exemptions_for, longest_of
from janitor.core.explaining.image import Case, explained
from janitor.core.explaining.records import Granted
from janitor.core.explaining.waiting import waiting_of
from janitor.core.image import Image
from janitor.core.memory import Memory
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.names.spelling import SURROGATE
from janitor.core.notices import counted_among
from janitor.core.replay.inputs import Inputs
from janitor.core.units import counted, format_minute, some_of
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.report.answers.explanation import Explained
from janitor.report.answers.facts import Seen
from janitor.report.tables import users_of
from janitor.store import ExemptionRecord, Store

_CANDIDATES = 10
_EVER = datetime.min.replace(tzinfo=UTC)


def explanation(
    settings: Settings,
    rules: Rules,
    store: Store,
    word: str,
    now: datetime,
    minute: Callable[[datetime], str] = format_minute,
) -> list[Explained]:
    """Explain the image that is meant by `word`: its id, the start of that, or a name that no other image has.

    `minute` writes the instants in its history.

    All is read before any of it is printed: a database that fails leaves no half of an answer. Raises UsageError for an
    image that no run has seen, for a word that several images have, and for text that is not UTF-8.
    """
    return [
        replace(
            _in_target(settings, rules, store, target, identity, now),
            history=tuple(store.image_history(target, identity, minute)),
        )
        for target, identity in find_image(store, word, by_name=True)
    ]


def _in_target(settings: Settings, rules: Rules, store: Store, target: str, identity: str, now: datetime) -> Explained:
    found = store.survey_of(target, identity)
    image = next(iter(found[1].images), None) if found is not None else None
    inputs = store.latest_inputs(target) if image is not None else None
    records = store.exemption_records(target, identity)
    memory = store.memory(target)
    seen, why = None, None
    if image is not None and inputs is not None:
        run, given = inputs
        case = _case(settings, rules, store, given, memory, now)
        seen, why = _seen(store, run, given, image), explained(image, case, now)
    return Explained(
        target,
        identity,
        seen,
        why,
        (*_by_command(records, now), *(_by_others(settings, rules, image, now) if image is not None else ())),
        tuple(store.notices_given(target, identity)),
        memory.refusals.get(identity),
    )


def _seen(store: Store, run: int, inputs: Inputs, image: Image) -> Seen:
    snapshot = store.latest_snapshot(inputs.target, image.id)
    of_run = snapshot if snapshot is not None and snapshot.run == run else None
    decision = of_run.decisions[0] if of_run is not None and of_run.decisions else None
    waits = None
    if of_run is not None and decision is not None and image.id not in of_run.asked:
        waits = waiting_of(decision, of_run)
    usage = inputs.survey.usage
    return Seen(
        image,
        users_of(image, inputs.survey),
        usage.problem,
        run,
        store.mode_of(run),
        inputs.survey.finished_at,
        decision,
        of_run,
        waits,
    )


def _case(settings: Settings, rules: Rules, store: Store, inputs: Inputs, memory: Memory, now: datetime) -> Case:
    """What the next decision would depend on, if nothing changed in the target."""
    images = inputs.survey.images
    by_people = exemptions_for(images, store.exemptions(now), rules.exemptions, now)
    exemptions = longest_of(by_people, exemptions_by_tag(images, now, settings.timezone))
    destinations = settings.destinations(rules.policies)
    notices = memory.notices
    if destinations is not None:
        notices = counted_among(images, notices, memory.hearing, now, destinations, next_run_of(settings))
    return Case(
        inputs.target,
        (inputs.target, *inputs.also_named),
        images,
        inputs.survey.usage,
        inputs.survey.finished_at,
        inputs.history,
        replace(memory, notices=notices, exemptions=exemptions, usage_memory=settings.usage_memory),
        inputs.grounds.sharing if inputs.grounds is not None else {},
        rules.policies,
        settings.timezone,
        wire_keys(inputs.api),
    )


def _by_command(records: Iterable[ExemptionRecord], now: datetime) -> Iterator[Granted]:
    for record in records:
        yield Granted(
            record.exemption, "command", record.active(now), record.created_at, record.ended_at, record.ended_by
        )


def _by_others(settings: Settings, rules: Rules, image: Image, now: datetime) -> Iterator[Granted]:
    """The exemptions in policy files and by tags that are about an image, expired ones too."""
    for exemption in rules.exemptions:
        for found in exemptions_for([image], (), [exemption], _EVER).values():
            yield Granted(found, "policy-file", active(found, now))
    for found in exemptions_by_tag([image], _EVER, settings.timezone).values():
        yield Granted(found, "tag", active(found, now))


def find_image(store: Store, word: str, *, by_name: bool = False) -> list[tuple[str, str]]:
    """The targets that the image was seen in that is, or starts with, `word`, each with its id as that listed it.

    With `by_name` also the only listed image of that name, or the only one that ever had it. Raises UsageError for an
    image that no run has seen, for a word that several have, and for text that is not UTF-8.
    """
    if SURROGATE.search(word):
        raise UsageError(f'"{visible(word)}" is not UTF-8 text, so it is not an id')
    places = store.find_image(word)
    identities = _different(places)
    if identities.keys() == {folded(word)} or (identities and not by_name):
        return _only(places, word)
    named = store.find_named(word)
    if by_name:
        there = [(target, identity) for target, identity, listed in named if listed]
        places += there or [(target, identity) for target, identity, _ in named]
        if len(_different(places)) > 1 and named:
            raise UsageError(f'"{visible(word)}" is {_several(named, store.find_image(word))}')
    if not places:
        runs = "run has" if store.is_whole() else "run whose details are still kept has"
        if by_name:
            kinds = "neither an id, the start of one, nor the name of a listed image"
            raise UsageError(f'"{visible(word)}" is {kinds}: no {runs} seen one')
        raise UsageError(f'no {runs} seen an image whose id starts with "{visible(word)}"{_named(named)}')
    return _only(places, word)


def _different(places: Sequence[tuple[str, str]]) -> dict[ImageId, str]:
    """The ids of these images, each in one spelling."""
    return {folded(identity): identity for _, identity in places}


def _only(places: Sequence[tuple[str, str]], word: str) -> list[tuple[str, str]]:
    """These, each target once, if they are of one image. Raises UsageError, which names them, for several."""
    identities = sorted(_different(places).values())
    if len(identities) > 1:
        shown = some_of([visible(identity) for identity in identities], _CANDIDATES)
        raise UsageError(f'"{visible(word)}" is the start of {len(identities)} ids: {shown}')
    latest: dict[str, str] = {}
    for target, identity in places:
        latest.setdefault(target, identity)
    return list(latest.items())


def _several(named: Sequence[tuple[str, str, bool]], starting: Sequence[tuple[str, str]]) -> str:
    begun = some_of([visible(identity) for _, identity in starting], _CANDIDATES)
    ids = f", and the start of {begun}" if starting else ""
    return f"the name of {counted(len(named))}, give an id: {some_of(_places(named), _CANDIDATES, '; ')}{ids}"


def _named(images: Sequence[tuple[str, str, bool]]) -> str:
    """For a person who gave a name instead of an id: the ids of the images of that name. Empty where there are none."""
    if not images:
        return ""
    places = some_of(_places(images), _CANDIDATES, "; ")
    return f"; {'an image' if len(images) == 1 else f'{len(images)} images'} of that name: {places}"


def _places(images: Sequence[tuple[str, str, bool]]) -> list[str]:
    return [
        f"{visible(identity)} in {visible(target)}{'' if listed else ', no longer listed'}"
        for target, identity, listed in images
    ]
