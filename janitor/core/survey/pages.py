"""How the pages of a target's list were read, and where they can be asked for the next time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PagesRead:
    """The last reading of a list. `markers` are the ids at which a later reading can ask, in its order.

    `side_by_side`: pages were asked for several at a time, and not in order as well, so what the list lacks may have
    been left out because of that. `turned_down`: the service did not answer so many requests at a time, although it may
    answer one.
    """

    markers: tuple[str, ...] = ()
    side_by_side: bool = False
    turned_down: bool = False
