"""The rule that nothing in use is deleted, by any source that exists, as far as a run can know of the use.

What a run can know of one place, by what it was told there:

- the truth: what used an image at every call of the survey. A use that began later cannot be known.
- a list that is valid and leaves something out: nothing but what it remembers. An image stays for as long as uses are
  remembered after the last true list that showed one, and until two accepted surveys have not shown it.
- nothing: where the target insists on the place, no image may go at all. Where it does not, what was in use when the
  place could last be read stays.

A server that the cloud lists as deleted holds nothing. Of an image that no list showed, only what names it by its id
alone is remembered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from enum import Enum, auto

from janitor.cloud.service import Need
from janitor.core.usage import Source
from janitor.sandbox.request_log import Call, RecordedRequest
from tests.nights.uses import Place, Truth, Use, images_of

WORDS: Mapping[Source, str] = {
    Source.SERVERS: "in use",
    Source.VOLUMES: "made into a volume",
    Source.CLUSTERS: "used by a cluster",
    Source.STACKS: "named by a stack",
    Source.REFERENCES: "named in a text",
}
_LIES = {"empty-instances", "empty-volumes", "empty-clusters", "empty-stacks", "truncated-list", "repeated-page"}
_DOWN = "down-cell"
_HARMLESS = {"clock-off", "dead-token", "delay"}
_NOT_OFFERED = 406
_BY_ID = frozenset({Source.SERVERS, Source.VOLUMES})
_LISTS_OF_IMAGES = {"truncated-list", "repeated-page", "vanished-marker"}


Memory = tuple[dict[Place, dict[Use, datetime]], dict[Place, set[Use]], set[tuple[str, str]]]
"""When each place showed which uses last, what it showed at all last, and which images are parts of which."""


class Told(Enum):
    """What a run was told at a place."""

    TRUTH = auto()
    LIES = auto()
    PERHAPS_NOTHING = auto()
    UNASKED = auto()


class Usage:
    """What the runs of one janitor must know of uses. `needs` is how much its target insists on each source.

    `shows_down_cells`: the compute services list what is in a cell that is down. `tells_ended`: they tell which servers
    were deleted.
    """

    def __init__(
        self,
        truth: Truth,
        needs: Callable[[Place], Need],
        memory: timedelta,
        *,
        shows_down_cells: Callable[[Place], bool],
        tells_ended: bool,
    ) -> None:
        self._truth = truth
        self._needs = needs
        self._memory = memory
        self._shows_down_cells = shows_down_cells
        self._tells_ended = tells_ended
        self._places = [place for place in truth.places if needs(place) is not Need.OFF]
        self._last: dict[Place, dict[Use, datetime]] = {place: {} for place in self._places}
        self._latest: dict[Place, set[Use]] = {place: set() for place in self._places}
        self._known_parts: set[tuple[str, str]] = set()
        self.begin((), lost=None, patient=True)

    def begin(self, good: Sequence[datetime], *, lost: str | None, patient: bool) -> None:
        """A run begins. `good` is when surveys were accepted before; `lost` is what its catalogue leaves out.

        `patient`: no answer takes longer than a run waits for one.
        """
        self._good = good
        self._lost = lost
        self._harmless = _HARMLESS if patient else _HARMLESS - {"delay"}
        self._before = {place: self._truth.at(place) for place in self._places}
        self._readable = {
            place for place in self._places if self._truth.is_file(place) and self._truth.is_readable(place)
        }
        self._parts = self._truth.needs()
        self._during: dict[Place, set[Use]] = {}
        self._told: dict[Place, Told] | None = None

    def note_call(self, call: Call) -> None:
        """A run asks; what is so at every call of a place, it is told there."""
        place = self._truth.place_of(call)
        if place is not None:
            now = self._truth.at(place)
            self._during[place] = self._during.get(place, now) & now

    def note_survey(self, requests: Iterable[RecordedRequest], at: datetime) -> None:
        """A run has written down what was in use then, as far as it was told."""
        requests = list(requests)
        lied = _lied_about_images(requests)
        for place, told in self._what_was_told(requests).items():
            # What names an image that no list shows is not known to name one.
            blind = lied and place.source not in _BY_ID
            match Told.LIES if blind else told:
                case Told.TRUTH:
                    self._latest[place] = self._during[place]
                    self._last[place] |= dict.fromkeys(self._during[place], at)
                case Told.LIES:
                    self._latest[place] = set()
                case _:
                    self._latest[place] &= self._before[place]
        if not lied:
            self._known_parts |= self._parts

    def remembered(self) -> Memory:
        """What the janitor knows of uses of before, to be recalled."""
        return deepcopy((self._last, self._latest, self._known_parts))

    def recall(self, remembered: Memory) -> None:
        """The janitor knows no more than what it remembered then."""
        self._last, self._latest, self._known_parts = deepcopy(remembered)

    # Before a deletion.

    def objection(self, image: str, now: datetime, requests: Iterable[RecordedRequest], gone: set[str]) -> str | None:
        """Why a run must not delete an image now, after these requests of it, which include all of its survey.

        `gone` are the images that it has asked to delete before.
        """
        requests = list(requests)
        self._truth.all()
        if self._told is None:
            self._told = self._what_was_told(requests)
        for place in self._places:
            if image in images_of(self._must_know(place, self._told[place])):
                return WORDS[place.source]
            if image in images_of(self._must_keep(place, self._told[place])):
                return f"{WORDS[place.source]} when that could last be read"
        if self._is_needed(image, requests, gone):
            return "needed by another image"
        return "recently used" if image in self._remembered(now) else None

    def _must_know(self, place: Place, told: Told) -> set[Use]:
        """What the run was told of a place; or what it must not guess about one that its target insists on."""
        if told is Told.TRUTH:
            return self._during[place]
        if told is Told.LIES or self._may_do_without(place, told):
            return set()
        return self._before[place] & self._truth.at(place)

    def _must_keep(self, place: Place, told: Told) -> set[Use]:
        """What a place that could not be read tonight, and need not be, said last."""
        return self._latest[place] & self._truth.at(place) if self._may_do_without(place, told) else set()

    def _may_do_without(self, place: Place, told: Told) -> bool:
        unread = told is Told.PERHAPS_NOTHING or (told is Told.UNASKED and place.name == self._lost)
        return unread and self._needs(place) is Need.OPTIONAL

    def _is_needed(self, image: str, requests: Iterable[RecordedRequest], gone: set[str]) -> bool:
        known = self._parts & self._known_parts if _lied_about_images(requests) else self._parts
        there = self._truth.main.images.keys() | gone
        return any(part == image and whole in there for whole, part in known)

    def _remembered(self, now: datetime) -> set[str]:
        return {
            image
            for place in self._places
            for ended in [self._ended(place)]
            for (user, image), at in self._last[place].items()
            if self._holds(at, now) and user not in ended
        }

    def _holds(self, seen: datetime, now: datetime) -> bool:
        return now - seen <= self._memory or not any(seen < at for at in self._good)

    def _ended(self, place: Place) -> set[str]:
        return self._truth.ended(place) if self._tells_ended else set()

    # Between runs.

    def used(self, now: datetime) -> set[str]:
        """All images that anything uses now, or is remembered to have used."""
        return images_of(self._truth.all()) | {part for _, part in self._truth.needs()} | self._remembered(now)

    # What was told.

    def _what_was_told(self, requests: Iterable[RecordedRequest]) -> dict[Place, Told]:
        asked: dict[Place, list[RecordedRequest]] = {place: [] for place in self._places}
        for request in requests:
            place = self._truth.place_of(request)
            if place in asked and request.code != _NOT_OFFERED:
                asked[place].append(request)
        return {
            place: self._told_by_files(place) if self._truth.is_file(place) else self._told_at(place, of_place)
            for place, of_place in asked.items()
        }

    def _told_by_files(self, place: Place) -> Told:
        """Files are read without a call: they say what they said before the run and still say now."""
        self._during[place] = self._before[place] & self._truth.at(place)
        whole = place in self._readable and self._truth.is_readable(place)
        return Told.TRUTH if whole else Told.PERHAPS_NOTHING

    def _told_at(self, place: Place, requests: list[RecordedRequest]) -> Told:
        faults = {fault for request in requests for fault in request.faults}
        if not requests:
            return Told.UNASKED
        if faults & _LIES or (_DOWN in faults and not self._shows_down_cells(place)):
            return Told.LIES
        troubled = faults - self._harmless or any(request.code != 0 for request in requests)
        return Told.PERHAPS_NOTHING if troubled else Told.TRUTH


def _lied_about_images(requests: Iterable[RecordedRequest]) -> bool:
    return any(request.name == "list-images" and _LISTS_OF_IMAGES & set(request.faults) for request in requests)
