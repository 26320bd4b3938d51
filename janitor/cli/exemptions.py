"""Exemptions as `keep` and `unkeep` grant, list and revoke them."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from janitor.cli.explain import find_image
from janitor.cli.terminal import say
from janitor.commands import command
from janitor.config import Settings
from janitor.config.operator import user_name
from janitor.config.policy_files import load_rules
from janitor.core.exemptions import active, expires_soon
from janitor.core.memory import Exemption
from janitor.core.units import counted, format_until, iso, iso_or_none, parse_duration, parse_until
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, line, paragraph
from janitor.report.wording import label_of, local_minute
from janitor.store import ExemptionRecord, Store, holder

_LONGEST_NAME = 255


def grant(
    settings: Settings,
    prefixes: Sequence[str],
    *,
    until: str | None,
    term: str | None,
    why: str | None,
    by: str | None,
    now: datetime,
) -> None:
    """Exempt images until a date, or for a term. Raises UsageError, with nothing changed, for anything unclear."""
    if not prefixes:
        raise UsageError(f"name the image to exempt: {command('keep IMAGE')} … (its id, or the start of it)")
    end = _end(until, term, now, settings.timezone)
    reason, who = _words("--why", why or "", "give the reason"), granted_by(by)
    with Store.open_existing(settings.database) as store:
        places = _places(store, prefixes)
        store.add_exemptions(((target, Exemption(image, end, reason, who)) for target, image in places), now)
        for target, image in places:
            say(_granted(store.exemption_records(target, image), now, settings.timezone))
        store.leave_mark()
    running = holder(settings.database, settings.timezone)
    if running is not None:
        say(f"A run is in progress, and may have decided before this: {visible(running)}", err=True)


def _granted(records: Sequence[ExemptionRecord], now: datetime, zone: tzinfo) -> str:
    """What was just granted, in a sentence; also that an earlier one holds longer, or that the image is not listed."""
    granted = records[-1]
    text = f"exempt {_terms(granted.exemption, zone)}"
    longest = max((record.exemption.until for record in records if record.active(now)), default=granted.exemption.until)
    if longest > granted.exemption.until:
        text += f"; an earlier exemption holds {format_until(longest, zone)}"
    if not granted.listed:
        text += "; its target no longer lists it"
    return f"{_named(granted)}: {visible(text)}"


def _end(until: str | None, term: str | None, now: datetime, zone: tzinfo) -> datetime:
    if (until is None) == (term is None):
        raise UsageError("give the end of the exemption: either --until DATE or --for DURATION")
    try:
        end = parse_until(until, zone) if until is not None else _after(term or "", now)
    except ValueError as error:
        raise UsageError(f"{'--for' if until is None else '--until'}: {visible(str(error))}") from error
    if end <= now:
        raise UsageError(f'--until: "{until}" is in the past')
    return end


def _after(term: str, now: datetime) -> datetime:
    duration = parse_duration(term)
    if not duration:
        raise ValueError(f'"{term}" is not greater than zero')
    try:
        # A day to spare, so that every time zone can write it.
        return now.replace(microsecond=0) + duration + timedelta(days=1, seconds=1) - timedelta(days=1)
    except OverflowError as error:
        raise ValueError(f'"{term}" ends after the year 9999') from error


def _words(option: str, text: str, wanted: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise UsageError(f"{option} is missing: {wanted}")
    try:
        words.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{option} is not UTF-8 text") from None
    return words


def granted_by(by: str | None) -> str:
    """Who grants or revokes: the name given, or else that of the system's user."""
    if by is not None:
        return _words("--by", by, "give a name, or leave the option out")
    return user_name()


def _places(store: Store, prefixes: Iterable[str]) -> list[tuple[str, str]]:
    """The target and id of every image with one of these ids, each once. Raises UsageError for an ambiguous prefix."""
    return list(dict.fromkeys(place for prefix in prefixes for place in find_image(store, prefix)))


def revoke(settings: Settings, prefixes: Sequence[str], *, by: str | None, now: datetime) -> None:
    """Revoke the exemptions of images. Raises UsageError, with nothing changed, where one is unclear or has none."""
    who = granted_by(by)
    with Store.open_existing(settings.database) as store:
        held = [record for prefix in prefixes for record in _held(store, prefix, now)]
        places = list(dict.fromkeys((record.target, record.exemption.image) for record in held))
        store.end_exemptions(places, who, now)
    for record in {(record.target, record.exemption): record for record in held}.values():
        say(f"{_named(record)}: {visible(f'exemption revoked: {_terms(record.exemption, settings.timezone)}')}")


def _held(store: Store, prefix: str, now: datetime) -> list[ExemptionRecord]:
    places = find_image(store, prefix)
    held = [record for place in places for record in store.exemption_records(*place) if record.active(now)]
    if not held:
        raise UsageError(
            f"{visible(places[0][1])} has no exemption by `{command('keep')}`; one in a policy file is revoked in that "
            "file"
        )
    return held


@dataclass(frozen=True, slots=True)
class Entry:
    """An exemption of the list: granted by command, with its record, or in a policy file."""

    exemption: Exemption
    record: ExemptionRecord | None

    def state(self, now: datetime) -> str:
        """Whether it is `active`, `lapsed` or `ended`, as JSON says."""
        if self.record is not None and self.record.ended_at is not None:
            return "ended"
        return "active" if active(self.exemption, now) else "lapsed"


def entries(settings: Settings, now: datetime, *, past: bool) -> list[Entry]:
    """The exemptions in force, the next to expire first; with `past`, all that were ever granted."""
    in_files = load_rules(settings.policies, settings.timezone).exemptions
    found = [*_by_command(settings), *(Entry(exemption, None) for exemption in in_files)]
    shown = found if past else _longest(entry for entry in found if entry.state(now) == "active")
    return sorted(shown, key=lambda entry: (entry.state(now) != "active", entry.exemption.until))


def json_list(listed: Sequence[Entry], now: datetime) -> str:
    """The list for programs."""
    return json.dumps({"exemptions": [_as_json(entry, now) for entry in listed]})


def text_list(listed: Sequence[Entry], now: datetime, zone: tzinfo) -> Page:
    """The list for people."""
    return Page(lambda width: _lines(listed, now, zone, width))


def _by_command(settings: Settings) -> list[Entry]:
    if not os.path.lexists(settings.database):
        return []  # policy files may exempt images before the first run
    with Store.open_existing(settings.database) as store:
        return [Entry(record.exemption, record) for record in store.exemption_records()]


def _longest(found: Iterable[Entry]) -> list[Entry]:
    """The last of each image to expire, where several are in force."""
    longest: dict[tuple[str | None, str], Entry] = {}
    for entry in found:
        key = (entry.record.target if entry.record else None, entry.exemption.image)
        if key not in longest or entry.exemption.until > longest[key].exemption.until:
            longest[key] = entry
    return list(longest.values())


def _as_json(entry: Entry, now: datetime) -> dict[str, Any]:
    exemption, record = entry.exemption, entry.record
    return {
        "target": record.target if record else None,
        "image": exemption.image,
        "name": record.name if record else None,
        "until": iso(exemption.until),
        "why": exemption.why,
        "who": exemption.who,
        "source": "command" if record else "policy-file",
        "state": entry.state(now),
        "expires_soon": _soon(entry, now),
        "created_at": iso_or_none(record.created_at) if record else None,
        "ended_at": iso_or_none(record.ended_at) if record else None,
        "ended_by": record.ended_by if record else None,
    }


def _soon(entry: Entry, now: datetime) -> bool:
    return entry.state(now) == "active" and expires_soon(entry.exemption.until, now)


def _lines(listed: Sequence[Entry], now: datetime, zone: tzinfo, width: int) -> Iterator[Line]:
    yield line(counted(len(listed), "exemption"), BOLD)
    for entry in listed:
        record = entry.record
        yield from paragraph(_named(record) if record else _in_files(entry.exemption), width, 2, BOLD)
        yield from paragraph(visible(_terms(entry.exemption, zone)), width, 6, DIM)
        if record is not None and record.ended_at is not None:
            revoked = f"revoked {local_minute(record.ended_at, zone)} by {record.ended_by}"
            yield from paragraph(visible(revoked), width, 6, WARNING)
        elif entry.state(now) == "lapsed":
            yield from paragraph("expired", width, 6, WARNING)
        elif _soon(entry, now):
            yield from paragraph("expires within a week", width, 6, WARNING)


def _named(record: ExemptionRecord) -> str:
    name = label_of(record.name, _LONGEST_NAME)
    return f"{name} ({visible(record.exemption.image)}) in {visible(record.target)}"


def _in_files(exemption: Exemption) -> str:
    return f"{visible(exemption.image)}, in a policy file"


def _terms(exemption: Exemption, zone: tzinfo) -> str:
    return f"{format_until(exemption.until, zone)} by {exemption.who}: {exemption.why}"
