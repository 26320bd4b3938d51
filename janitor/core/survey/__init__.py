"""One complete reading of a target, and whether it can be believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from janitor.core.image import Image
from janitor.core.survey.pages import PagesRead
from janitor.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Survey:
    """One complete reading of a target, taken between the two instants.

    `without_id` is how many entries of its lists had no id; a snapshot does not record it. `digests` are those of the
    entries from which images were read, by image id, and `pages` tells how the list was read.
    """

    images: tuple[Image, ...]
    usage: Usage
    started_at: datetime
    finished_at: datetime
    without_id: int = field(default=0, compare=False)
    digests: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    pages: PagesRead = field(default=PagesRead(), compare=False)
