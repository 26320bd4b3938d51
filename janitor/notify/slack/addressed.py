"""What a report in Slack says about where images are listed: here, elsewhere, and here in place of their owners."""

from collections.abc import Callable, Iterator

from janitor.core.units import counted
from janitor.notify.slack.mrkdwn import code, fitted
from janitor.notify.slack.packing import Paragraph, Row
from janitor.report.routing import Share

_MOST_UNTOLD = 20
_WHO = 250
_WHY = 700
_NOTE = 250


def scope_of(share: Share) -> str:
    """To which images a share is limited, as the end of a line; nothing in the main channel."""
    scopes = []
    if share.policies:
        scopes.append(f"of these policies: {fitted(', '.join(share.policies), _NOTE)}")
    if share.addressees is not None:
        owners = ", ".join(owner for owner in share.addressees.owners if owner)
        others = "of owners who have no channel of their own" if "" in share.addressees.owners else ""
        scopes += filter(None, [owners and f"of these owners: {fitted(owners, _NOTE)}", others])
    return f" Only images {'; or '.join(scopes)}." if scopes else ""


def elsewhere(share: Share, listed: Callable[[Share], int]) -> Iterator[Paragraph]:
    """Where other images are listed, and whose are listed here as their owners could not be told.

    `listed` counts the images that a share lists. People who got direct messages are only counted.
    """
    counts = [(other, listed(other)) for other in share.elsewhere]
    rows = [Row(f"{fitted(other.channel or '', _WHO, code)}: {counted(images)}") for other, images in _places(counts)]
    people = [images for other, images in counts if images and _is_person(other)]
    if people:
        rows.append(Row(f"{counted(len(people), 'direct message')}: {counted(sum(people))}"))
    if rows:
        yield Paragraph("*Listed in other channels*", tuple(rows))
    if share.untold:
        yield Paragraph("*Their owners could not be told; listed here instead*", tuple(_untold(share)))


def _places(counts: list[tuple[Share, int]]) -> Iterator[tuple[Share, int]]:
    return ((other, images) for other, images in counts if images and not _is_person(other))


def _is_person(share: Share) -> bool:
    return share.addressees is not None and share.addressees.recipient.is_person


def _untold(share: Share) -> Iterator[Row]:
    for each in share.untold[:_MOST_UNTOLD]:
        yield Row(f"{fitted(each.who, _WHO, code)}: {counted(each.images)}: {fitted(each.why, _WHY)}")
    rest = share.untold[_MOST_UNTOLD:]
    if rest:
        yield Row(f"and {counted(len(rest), 'more owner')}: {counted(sum(each.images for each in rest))}")
