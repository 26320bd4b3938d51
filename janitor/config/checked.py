"""A configuration as its schemas read it, with everything that is wrong with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from janitor.config.channels import ChannelSchemas, ChannelSetting, read_channels, secrets_of
from janitor.config.contradictions import contradictions, unknown_although_empty
from janitor.config.declared import misdeclared
from janitor.config.expansion import Expanded, expand
from janitor.config.expansion.offline import with_credentials
from janitor.config.owners import read_owners
from janitor.config.schema import SettingsSchema
from janitor.config.targets import misfits
from janitor.core.recipients.recipients import Recipients
from janitor.documents import Document, Fault, Keys
from janitor.documents.schema import UNKNOWN, check


@dataclass(frozen=True, slots=True)
class Reading:
    """How a configuration is read: the file that it is, and what surrounds it.

    `environ` may also give the credentials of targets, and `kinds` gives the kinds of channels.
    """

    source: Path
    environ: Mapping[str, str]
    kinds: Callable[[], ChannelSchemas]
    offline: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read, the schema being None where that is wrong, and the faults, one at each key."""

    expanded: Expanded
    schema: SettingsSchema | None
    channels: Sequence[ChannelSetting]
    owners: Recipients | None
    faults: Sequence[Fault]


def checked(document: Document, reading: Reading, form: type[SettingsSchema]) -> Checked:
    """The configuration, as a schema of that form reads it."""
    kinds = reading.kinds() if isinstance(document.data, dict) and "channels" in document.data else {}
    offline = reading.offline
    credentials = with_credentials(reading.environ) if offline else reading.environ
    expanded = expand(document, reading.environ, reading.source.parent, secrets_of(kinds), offline=offline)
    read = _checked(expanded, kinds, credentials, form)
    filled = read.expanded.filled(fault.keys for fault in read.faults)
    return read if filled is None else _checked(filled, kinds, credentials, form)


def _checked(
    expanded: Expanded, kinds: ChannelSchemas, environ: Mapping[str, str], form: type[SettingsSchema]
) -> Checked:
    channels, misconfigured = read_channels(expanded.document, kinds, expanded.folder)
    owners, disowned = read_owners(expanded.document)
    schema, wrong = check(form, expanded.document)
    unfit = [*misfits(expanded, environ), *misdeclared(expanded), *wrong, *misconfigured, *disowned]
    unknown = unknown_although_empty(expanded, kinds, form)
    faults = [*expanded.document.faults, *_news(unfit, expanded), *unknown]
    return Checked(expanded, schema, channels, owners, faults)


def _news(wrong: list[Fault], expanded: Expanded) -> Iterator[Fault]:
    """The faults at keys without any so far; for a required key that came out empty, the reason."""
    said = {fault.keys for fault in expanded.document.faults}
    explained = (_explained(fault, expanded) for fault in wrong)
    for fault in (*contradictions(expanded.document), *explained):
        if fault.keys not in said and _with_suffix(fault.keys) not in said:
            yield fault
            said.add(fault.keys)


def _explained(fault: Fault, expanded: Expanded) -> Fault:
    """The fault at the place to be corrected: a secret file, or an environment variable."""
    file = expanded.files.get(fault.keys)
    if file is not None and not fault.message.startswith(UNKNOWN):
        return Fault(_with_suffix(fault.keys), f"{file} {fault.message}")
    return replace(fault, message=expanded.empty.get(fault.keys, fault.message))


def _with_suffix(keys: Keys) -> Keys:
    return (*keys[:-1], f"{keys[-1]}_file") if keys else keys
