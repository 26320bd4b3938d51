"""The commands `keep` and `unkeep`: exemptions given, listed and ended; imported only when one of them runs."""

import json
import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from janitor.cli import wiring
from janitor.cli.commands.loading import configured
from janitor.cli.explain import find_image
from janitor.cli.terminal import print_out, print_plain, say
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.policy_files import load_rules
from janitor.core.exemptions import active, lapses_soon
from janitor.core.memory import Exemption
from janitor.core.units import counted, format_until, iso, iso_or_none, parse_duration, parse_until
from janitor.errors import Exit, UsageError
from janitor.escaping import visible
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, line, paragraph
from janitor.report.wording import label_of, local_minute
from janitor.store import ExemptionRecord, Store, holder

_LONGEST_NAME = 255


def keep(
    config: Path | None,
    verbose: int,
    prefixes: Sequence[str],
    *,
    until: str | None,
    term: str | None,
    why: str | None,
    by: str | None,
) -> int:
    """Exempt images until a date, or for a term. Raises UsageError, with nothing changed, for whatever is not clear."""
    settings, now = configured(config, verbose), utc_now()
    if not prefixes:
        raise UsageError("say which image stays: janitor keep IMAGE … (its id, or the start of it)")
    end = _end(until, term, now, settings.timezone)
    reason, who = _words("--why", why or "", "say why it stays"), who_says(by)
    with Store.open_existing(settings.database) as store:
        places = _places(store, prefixes)
        store.add_exemptions(((target, Exemption(image, end, reason, who)) for target, image in places), now)
        for target, image in places:
            say(_kept(store.exemption_records(target, image), now, settings.timezone))
        wiring.leave_mark(settings.database, store)
    who_runs = holder(settings.database)
    if who_runs is not None:
        say(f"A run is at work and may have decided before: {visible(who_runs)}", err=True)
    return Exit.OK


def _kept(records: Sequence[ExemptionRecord], now: datetime, zone: tzinfo) -> str:
    """What was just given, in a sentence; and what else is to be known about it."""
    given = records[-1]
    text = f"exempt {_terms(given.exemption, zone)}"
    longest = max((record.exemption.until for record in records if record.active(now)), default=given.exemption.until)
    if longest > given.exemption.until:
        text += f"; it is exempt {format_until(longest, zone)} anyhow"
    if not given.listed:
        text += "; its target does not list it any more"
    return f"{_named(given)}: {visible(text)}"


def _end(until: str | None, term: str | None, now: datetime, zone: tzinfo) -> datetime:
    if (until is None) == (term is None):
        raise UsageError("say how long it stays: either --until DATE or --for DURATION")
    try:
        end = parse_until(until, zone) if until is not None else _after(term or "", now)
    except ValueError as error:
        raise UsageError(f"{'--for' if until is None else '--until'}: {visible(str(error))}") from error
    if end <= now:
        raise UsageError(f'--until: "{until}" is over already')
    return end


def _after(term: str, now: datetime) -> datetime:
    duration = parse_duration(term)
    if not duration:
        raise ValueError(f'"{term}" must be longer than nothing')
    try:
        # A day to spare, so that every time zone can write it.
        return now.replace(microsecond=0) + duration + timedelta(days=1, seconds=1) - timedelta(days=1)
    except OverflowError as error:
        raise ValueError(f'"{term}" is beyond the calendar') from error


def _words(option: str, text: str, wanted: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise UsageError(f"{option} is missing: {wanted}")
    try:
        words.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{option} is not UTF-8 text") from None
    return words


def who_says(by: str | None) -> str:
    """The name of who gives a command: the one given, or else that of the system's user."""
    if by is not None:
        return _words("--by", by, "say who, or leave the option out")
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _places(store: Store, prefixes: Iterable[str]) -> list[tuple[str, str]]:
    """The target and id of every image that is meant, each once. Raises UsageError for what is not clear."""
    found = [find_image(store, prefix) for prefix in prefixes]
    return list(dict.fromkeys((target, image) for image, targets in found for target in targets))


def unkeep(config: Path | None, verbose: int, prefixes: Sequence[str], *, by: str | None) -> int:
    """End the exemptions of images. Raises UsageError, with nothing changed, where one is not clear or has none."""
    settings, now = configured(config, verbose), utc_now()
    who = who_says(by)
    with Store.open_existing(settings.database) as store:
        held = [record for prefix in prefixes for record in _held(store, prefix, now)]
        places = list(dict.fromkeys((record.target, record.exemption.image) for record in held))
        store.end_exemptions(places, who, now)
    for record in {(record.target, record.exemption): record for record in held}.values():
        ended = f"its exemption is ended: {_terms(record.exemption, settings.timezone)}"
        say(f"{_named(record)}: {visible(ended)}")
    return Exit.OK


def _held(store: Store, prefix: str, now: datetime) -> list[ExemptionRecord]:
    image, targets = find_image(store, prefix)
    held = [r for target in targets for r in store.exemption_records(target, image) if r.active(now)]
    if not held:
        raise UsageError(
            f"{visible(image)} is not exempt by `janitor keep`; an exemption in a policy file is ended in that file"
        )
    return held


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the list: by command, with its record, or from a policy file."""

    exemption: Exemption
    record: ExemptionRecord | None

    def state(self, now: datetime) -> str:
        if self.record is not None and self.record.ended_at is not None:
            return "ended"
        return "active" if active(self.exemption, now) else "lapsed"


def list_kept(config: Path | None, verbose: int, unwanted: Iterable[str | None], *, past: bool, form: str) -> int:
    """List the exemptions that hold, the next to lapse first; with `past` all that ever were.

    Raises UsageError where something was given that belongs to `keep` itself: to list is not what was meant then.
    """
    if any(given is not None for given in unwanted):
        raise UsageError("--list goes with --all and --format only: it exempts no image")
    settings, now = configured(config, verbose), utc_now()
    in_files = load_rules(settings.policies, settings.timezone).exemptions
    entries = [*_by_command(settings), *(_Entry(exemption, None) for exemption in in_files)]
    shown = entries if past else _longest(entry for entry in entries if entry.state(now) == "active")
    ordered = sorted(shown, key=lambda entry: (entry.state(now) != "active", entry.exemption.until))
    if form == "json":
        print_plain(json.dumps({"exemptions": [_as_json(entry, now) for entry in ordered]}))
    else:
        page = Page(lambda width: _lines(ordered, now, settings.timezone, width))
        print_out(page)
    return Exit.OK


def _by_command(settings: Settings) -> list[_Entry]:
    if not os.path.lexists(settings.database):
        return []  # policy files may exempt images before the first run
    with Store.open_existing(settings.database) as store:
        return [_Entry(record.exemption, record) for record in store.exemption_records()]


def _longest(entries: Iterable[_Entry]) -> list[_Entry]:
    """The one that counts for each image, where several hold."""
    longest: dict[tuple[str | None, str], _Entry] = {}
    for entry in entries:
        key = (entry.record.target if entry.record else None, entry.exemption.image)
        if key not in longest or entry.exemption.until > longest[key].exemption.until:
            longest[key] = entry
    return list(longest.values())


def _as_json(entry: _Entry, now: datetime) -> dict[str, Any]:
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
        "lapses_soon": _soon(entry, now),
        "created_at": iso_or_none(record.created_at) if record else None,
        "ended_at": iso_or_none(record.ended_at) if record else None,
        "ended_by": record.ended_by if record else None,
    }


def _soon(entry: _Entry, now: datetime) -> bool:
    return entry.state(now) == "active" and lapses_soon(entry.exemption.until, now)


def _lines(entries: Sequence[_Entry], now: datetime, zone: tzinfo, width: int) -> Iterator[Line]:
    yield line(counted(len(entries), "exemption"), BOLD)
    for entry in entries:
        record = entry.record
        yield from paragraph(_named(record) if record else _in_files(entry.exemption), width, 2, BOLD)
        yield from paragraph(visible(_terms(entry.exemption, zone)), width, 6, DIM)
        if record is not None and record.ended_at is not None:
            ended = f"ended {local_minute(record.ended_at, zone)} by {record.ended_by}"
            yield from paragraph(visible(ended), width, 6, WARNING)
        elif entry.state(now) == "lapsed":
            yield from paragraph("lapsed", width, 6, WARNING)
        elif _soon(entry, now):
            yield from paragraph("lapses within a week", width, 6, WARNING)


def _named(record: ExemptionRecord) -> str:
    name = label_of(record.name, _LONGEST_NAME)
    return f"{name} ({visible(record.exemption.image)}) in {visible(record.target)}"


def _in_files(exemption: Exemption) -> str:
    return f"{visible(exemption.image)}, in a policy file"


def _terms(exemption: Exemption, zone: tzinfo) -> str:
    return f"{format_until(exemption.until, zone)} by {exemption.who}: {exemption.why}"
