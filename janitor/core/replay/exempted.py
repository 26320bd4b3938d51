"""What people had exempted in a recorded night, if policy files had said what those that are tried say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from janitor.core.basis import Basis
from janitor.core.exemptions import exemptions_by_tag, exemptions_for, longest_of
from janitor.core.image import Image
from janitor.core.memory import Exemption
from janitor.core.replay.nights import RecordedNight


@dataclass(frozen=True, slots=True)
class Granted:
    """What is known of the exemptions of a night.

    `recorded` is the longest of each image at `then`, whoever gave it; None where that was not recorded. `in_files` are
    those of the policy files of then, `by_command` those that people granted by command until then. `zone` is that of
    dates in tags. `now_by_command` are those that people have granted by a later instant, and not revoked: they count
    instead, where that is not None.
    """

    recorded: Mapping[str, Exemption] | None
    in_files: Sequence[Exemption]
    by_command: Sequence[Exemption]
    then: datetime
    zone: tzinfo
    now_by_command: Sequence[Exemption] | None = None

    @property
    def moved(self) -> bool:
        """Whether others may have been granted or revoked by command since."""
        return self.now_by_command is not None


def exempted(
    night: RecordedNight,
    images: Sequence[Image],
    basis: Basis,
    in_files: Sequence[Exemption],
    unlisted: Collection[str],
) -> Mapping[str, Exemption]:
    """The exemption of each image in a night, with these in policy files; of several, the one that lasts longest.

    The night lists none of the images that are `unlisted`.
    """
    granted = Granted(night.exemptions, basis.exemptions, night.by_command, night.at, basis.zone)
    return exempted_under(granted, images, in_files, unlisted)


def exempted_under(
    granted: Granted, images: Sequence[Image], in_files: Sequence[Exemption], unlisted: Collection[str] = ()
) -> Mapping[str, Exemption]:
    """The same, from what is known of the exemptions of any night.

    Where a file of then gave the recorded one, or where the night does not list the image, the exemptions by command
    and by tags are looked for again.
    """
    recorded, then = granted.recorded, granted.then
    if recorded is not None and not unlisted and not granted.moved and tuple(granted.in_files) == tuple(in_files):
        return recorded
    if recorded is None:
        known, again = dict[str, Exemption](), images
    else:
        given = [exemptions_for(images, (), granted.in_files, then)]
        if granted.moved:
            given.append(exemptions_for(images, granted.by_command, (), then))
        known = {image: one for image, one in recorded.items() if all(one != some.get(image) for some in given)}
        again = [one for one in images if one.id in unlisted or (one.id in recorded and one.id not in known)]
    if granted.moved:
        by_command = exemptions_for(images, granted.now_by_command or (), (), then)
    else:
        by_command = exemptions_for(again, granted.by_command, (), then)
    found = longest_of(by_command, exemptions_by_tag(again, then, granted.zone))
    return longest_of(longest_of(known, found), exemptions_for(images, (), in_files, then))
