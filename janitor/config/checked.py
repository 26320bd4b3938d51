"""A configuration as its schemas read it, with everything that is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from janitor.config.channels import ChannelSchemas, ChannelSetting, read_channels
from janitor.config.contradictions import contradictions, unknown_although_empty
from janitor.config.declared import misdeclared
from janitor.config.expansion import Expanded
from janitor.config.owners import read_owners
from janitor.config.schema import SettingsSchema
from janitor.config.targets import misfits
from janitor.core.recipients.recipients import Recipients
from janitor.documents import Fault, Keys
from janitor.documents.schema import UNKNOWN, check


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read, the schema being None where that is wrong, and the faults, one at each key."""

    expanded: Expanded
    schema: SettingsSchema | None
    channels: Sequence[ChannelSetting]
    owners: Recipients | None
    faults: Sequence[Fault]


def checked(expanded: Expanded, kinds: ChannelSchemas, environ: Mapping[str, str]) -> Checked:
    """The configuration, whose channels are of these kinds; `environ` may give the credentials of targets."""
    channels, misconfigured = read_channels(expanded.document, kinds, expanded.folder)
    owners, disowned = read_owners(expanded.document)
    schema, wrong = check(SettingsSchema, expanded.document)
    unfit = [*misfits(expanded, environ), *misdeclared(expanded), *wrong, *misconfigured, *disowned]
    unknown = unknown_although_empty(expanded, kinds)
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
