"""One deletion that policies would have made, and what was seen of its image afterwards: where to look for regrets."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from janitor.core.image import Image
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.names.image_names import ImageNames
from janitor.core.names.known_images import KnownImages
from janitor.core.names.spelling import normal
from janitor.core.names.wire_keys import WireKeys
from janitor.core.needs import is_doubtful, may_need, needed_by
from janitor.core.replay.afterwards import Afterwards, Listed, Runs, Surveyed, Surveys, both, within
from janitor.core.replay.replayed import NightDeletion, is_another
from janitor.core.usage import User, UserKind


@dataclass(frozen=True, slots=True)
class Use:
    """A use of an image, in words and by whom, and the runs of it. `by_image` is the image that uses it, if one does.

    `user` is as a source of usage told of it, which some surveys may not have read; None where the images show it.
    `elsewhere`: a survey of another target told of it.
    """

    detail: str
    who: str
    runs: Runs
    by_image: ImageId | None = None
    user: User | None = None
    elsewhere: bool = False

    def seen_by(self, survey: Surveyed) -> bool:
        """Whether a survey of its runs saw it."""
        return self.user is None or self.elsewhere or survey.saw(self.user)


class Record:
    """What is recorded after the deletions of one target, arranged for looking up."""

    def __init__(self, deletions: Sequence[NightDeletion], afterwards: Afterwards, zone: tzinfo) -> None:
        self.after = afterwards
        self.zone = zone
        self.surveys = Surveys(afterwards.surveys)
        self._removed = {each.decision.image.identity: each.run for each in deletions}
        self._in_files_by_id: defaultdict[ImageId, list[tuple[Exemption, Runs]]] = defaultdict(list)
        self._in_files_by_name: defaultdict[str, list[tuple[Exemption, Runs]]] = defaultdict(list)
        for given in afterwards.in_files:
            self._in_files_by_id[folded(normal(given[0].image))].append(given)
            self._in_files_by_name[normal(given[0].image)].append(given)
        self._needs, self.unknown_needs = _needs([each.decision.image for each in deletions], afterwards.needing)

    def uses_of(self, identity: ImageId) -> Iterator[Use]:
        """The uses of an image, those by an image only until that one would have been deleted itself."""
        for used in self.after.used.get(identity, ()):
            detail, who = _in_words(used.user)
            detail += "" if used.target is None else f" in target {used.target}"
            by_image = folded(used.user.id) if used.user.kind is UserKind.IMAGE else None
            yield Use(detail, who, self.while_there(by_image, used.runs), by_image, used.user, used.target is not None)
        for need in self._needs.get(identity, ()):
            yield Use(need.detail, need.who, self.while_there(need.by_image, need.runs), need.by_image)

    def while_there(self, by_image: ImageId | None, runs: Runs) -> Runs:
        """These runs without those after the deletion of an image that uses another."""
        removed = None if by_image is None else self._removed.get(by_image)
        return runs if removed is None else within(runs, 0, removed)

    def in_files(self, image: Image) -> list[tuple[Exemption, Runs]]:
        """The exemptions of policy files that may name an image, each with the runs that read it."""
        if "name" in image.unreadable:
            return list(self.after.in_files)
        by_name = self._in_files_by_name.get(normal(image.name or ""), ())
        return [*self._in_files_by_id.get(folded(normal(image.id)), ()), *by_name]


def _in_words(user: User) -> tuple[str, str]:
    """A use, and its user."""
    name = user.name or user.id
    if user.kind is UserKind.REFERENCE:
        return f"named in {name}", name
    who = f"{user.kind} {name}"
    return (f"the base of {who}" if user.kind is UserKind.IMAGE else f"used by {who}"), who


def _needs(removed: Iterable[Image], needing: Iterable[Listed]) -> tuple[Mapping[ImageId, list[Use]], list[Use]]:
    """The uses of images as parts of others, and those of which it is unknown which image they are a use of."""
    wanting = [each for each in needing if may_need(each.image)]
    known = KnownImages(ImageNames((*removed, *(each.image for each in wanting)) if wanting else ()))
    needs: defaultdict[ImageId, list[Use]] = defaultdict(list)
    unknown = []
    for image, runs in ((each.image, each.runs) for each in wanting):
        who = f"image {image.label}"
        for needed, part in needed_by(image, known):
            needs[needed].append(Use(f"the {part} of {who}", who, runs, image.identity))
        if is_doubtful(image, known):
            words = f"it may be the kernel or ramdisk of {who}, whose properties cannot be read"
            unknown.append(Use(words, who, runs, image.identity))
    return needs, unknown


class Case:
    """One deletion, and the later surveys that listed its image, by how they listed it: `later`.

    What was recorded up to the run `since` was about another account. It ends where another image has the same id.
    """

    def __init__(self, deletion: NightDeletion, record: Record, wire_keys: WireKeys) -> None:
        self.deletion = deletion
        self.image = deletion.decision.image
        self.record = record
        self.wire_keys = wire_keys
        self.since = max((run for run, _ in record.after.rebound if run < deletion.run), default=0)
        rebound = next((each for each in record.after.rebound if each[0] >= deletion.run), None)
        self._rebound = rebound
        afterwards = within((deletion.run + 1, None), 0, None if rebound is None else rebound[0])
        self.later: list[tuple[Listed, Sequence[Surveyed]]] = []
        for listed in _by_one_spelling(record.after.listed.get(self.image.identity, ()), self.image.id):
            runs = both(listed.runs, afterwards)
            surveys = record.surveys.of(runs)
            if surveys and is_another(listed.image, self.image):
                break
            if surveys:
                self.later.append((Listed(listed.image, runs), surveys))

    @property
    def identity(self) -> ImageId:
        """The id of the image, folded."""
        return self.image.identity

    def seen(self) -> list[Surveyed]:
        """The later surveys that listed the image."""
        return [each for _, surveys in self.later for each in surveys]

    def seen_in(self, runs: Runs) -> list[Surveyed]:
        """Those of these runs."""
        return [each for listed, _ in self.later for each in self.record.surveys.of(both(listed.runs, runs))]

    @property
    def last_seen(self) -> int:
        """The run that listed the image last: that of the deletion, if no later one did."""
        return self.later[-1][1][-1].run if self.later else self.deletion.run

    @property
    def missing(self) -> Surveyed | None:
        """The first survey after that which is to be believed that it is gone."""
        # One of another account says nothing of it.
        until = None if self._rebound is None else self._rebound[0]
        later = self.record.surveys.of(within((self.last_seen + 1, None), 0, until))
        return next((each for each in later if each.accepted), None)

    @property
    def rebound(self) -> bool:
        """Whether the target was bound to another account before the image was known to be gone."""
        return self._rebound is not None and self.missing is None

    def may_be_there(self, at: datetime) -> bool:
        """Whether the image may have been there at an instant after its deletion, for all that surveys say."""
        missing = [] if self.missing is None else [self.missing.at]
        ends = missing + ([] if self._rebound is None else [self._rebound[1]])
        return all(at < end for end in ends)


def _by_one_spelling(listed: Sequence[Listed], spelled: str) -> Sequence[Listed]:
    """An image as it was listed; by another spelling of its id only once it no longer was by this one."""
    same = [each for each in listed if each.image.id == spelled]
    if len(same) == len(listed):
        return listed
    ends = [each.runs[1] for each in same]
    last = max((end for end in ends if end is not None), default=0)
    return same if None in ends else (*same, *(each for each in listed if each not in same and each.runs[0] >= last))
