"""What people had exempted in a recorded night, if policy files had said what those that are tried say."""

from collections.abc import Collection, Mapping, Sequence

from janitor.core.exemptions import exemptions_by_tag, exemptions_for, longest_of
from janitor.core.image import Image
from janitor.core.memory import Exemption
from janitor.core.replay.nights import RecordedNight, Terms


def exempted(
    night: RecordedNight,
    images: Sequence[Image],
    terms: Terms,
    in_files: Sequence[Exemption],
    unlisted: Collection[str],
) -> Mapping[str, Exemption]:
    """The exemption of each image in a night, with these in policy files; of several, the one that lasts longest.

    The night recorded the longest of each image, whoever gave it. Where a file of then gave it, or where the night does
    not list the image, the exemptions by command and by tags are looked for again.
    """
    recorded, then = night.exemptions, night.at
    if recorded is not None and not unlisted and terms.exemptions == tuple(in_files):
        return recorded
    if recorded is None:
        known, again = dict[str, Exemption](), images
    else:
        given = exemptions_for(images, (), terms.exemptions, then)
        known = {image: one for image, one in recorded.items() if one != given.get(image)}
        again = [one for one in images if one.id in unlisted or (one.id in recorded and one.id not in known)]
    found = longest_of(exemptions_for(again, night.by_command, (), then), exemptions_by_tag(again, then, terms.zone))
    return longest_of(longest_of(known, found), exemptions_for(images, (), in_files, then))
