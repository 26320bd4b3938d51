"""What `check` says about the configuration, what it tries, and what to do next: each line begins with its subject."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.cli import recorded
from janitor.cli.probing import advice
from janitor.cli.terminal import print_out, say_folded
from janitor.clock import utc_now
from janitor.cloud.service import Probe, ProbeFailed
from janitor.cloud.target import Target
from janitor.config import Settings
from janitor.config.policy_files import PASSED_OVER, Rules
from janitor.core.policy import Policy
from janitor.core.policy_lint import exempting_nothing, lint, owning_nothing
from janitor.core.units import counted
from janitor.core.usage import Reading
from janitor.errors import CloudError, DeliveryError, StoreError
from janitor.escaping import visible
from janitor.filesystems import network_filesystem_of
from janitor.references import Reference
from janitor.report.tables import readings_table
from janitor.report.wording import undelivered_reports

if TYPE_CHECKING:
    from janitor.run.orders import Site


_SUBJECT = 14


def line(subject: str, text: str) -> str:
    """A line about a subject."""
    return f"{subject:<{_SUBJECT}} {text}"


def tell(text: str) -> None:
    """Print such a line."""
    say_folded(text, _SUBJECT + 1)


def configured(settings: Settings, rules: Rules, what: str, targets: Sequence[str] | None) -> Iterator[str]:
    """What is configured, with notes where there are any, and the next runs.

    `what` says in words what is cleaned; `targets` are the names of these, None where only a catalogue tells them.
    """
    yield f"configuration  ok: {settings.source}, mode {settings.mode}, {what}"
    yield f"policies       ok: {settings.policies}, {', '.join(policy.name for policy in rules.policies)}"
    if rules.passed_over:
        yield f"policies       note: {PASSED_OVER}: {', '.join(map(visible, rules.passed_over))}"
    for remark in lint(rules.policies, targets):
        yield f"policies       note: {remark}"
    if rules.exemptions:
        yield f"exemptions     ok: {len(rules.exemptions)} in policy files"
    yield from _ways(settings)
    if settings.slack is not None and settings.slack.accepts != "slack":
        yield f"slack          note: accepts: {settings.slack.accepts}: answers that are not Slack's can start notices"
    if settings.slack is not None and settings.slack.approvers and settings.slack.app_token is None:
        yield "slack          note: approvers: without an `app_token` there are no buttons that they could press"
    if settings.schedule is None:
        by_hand = "`janitor serve` needs one, `janitor run` does not"
        of_fleet = "`janitor fleet serve` needs one, `janitor fleet enqueue` does not"
        yield f"schedule       none: {by_hand if settings.fleet is None else of_fleet}"
        return
    yield f"schedule       {settings.schedule.text} ({settings.timezone.key})"
    for instant in settings.schedule.upcoming(utc_now(), settings.timezone, 3):
        yield f"next run       {instant.isoformat()}"


def _ways(settings: Settings) -> Iterator[str]:
    """The proxy and certificates of each target, and of all else, where any are configured."""
    for target in settings.targets:
        if way := target.http.route.described(target.address):
            yield f"network        {target.name}: {way}"
    if way := settings.http.route.described(None):
        yield f"network        Slack, heartbeat and references: {way}"


def unsafe_place(settings: Settings) -> Iterator[str]:
    """That the database is on a network file system, where it is."""
    if kind := network_filesystem_of(settings.database):
        yield (
            f"database       note: it is on a network file system ({kind}), where two hosts may write to it at once, "
            "and damage it: keep it on a disk of this host"
        )


def undelivered(settings: Settings) -> Iterator[str]:
    """How many reports are undelivered, and since when, where any are."""
    backlog = recorded.backlog_of(settings)
    if waiting := undelivered_reports(backlog, settings.timezone):
        yield f"reports        note: {waiting}"


def idle(settings: Settings, rules: Rules) -> Iterator[str]:
    """The policies and exemptions that match no image of the last surveys, where there are any: it may be intended."""
    images = recorded.latest_images(settings)
    if not any(map(len, images.values())):
        return
    last = f"note: none of the {counted(sum(map(len, images.values())))} surveyed last is"
    if owning := owning_nothing(rules.policies, images):
        yield f"policies       {last} owned by {', '.join(owning)}"
    if rules.exemptions and (exempting := exempting_nothing(rules.exemptions, images)):
        yield f"exemptions     {last} called {' or '.join(exempting)}"


def live_probes(settings: Settings) -> Iterator[tuple[str, Callable[[], Probe], Target | None]]:
    """A probe, with its name, for every target, which comes with it."""
    from janitor.run import sites  # which loads all of a run

    known = recorded.known_targets(settings)
    for site in sites.sites_of(settings, sites.Choice(settings.targets), known=known):
        also = f" (also {', '.join(site.also_named)})" if site.also_named else ""
        target = settings.target_of(site.name)
        yield f"target {site.name}{also}", partial(_probe, site), target


def channel_probes(
    settings: Settings, policies: Sequence[Policy], *, live: bool
) -> Iterator[tuple[str, Callable[[], Probe]]]:
    """A probe, with its name, for every channel; what others can see only where it is `live`."""
    if not settings.has_channels:
        return
    from janitor.notify.channels import configured as configured_channels  # which loads every kind of channel

    for channel in configured_channels(settings, policies):
        for name, probe in channel.probes(live=live):
            yield name, partial(_probe_channel, probe)


def _probe(site: "Site") -> Probe:
    service = site.connect()
    try:
        return service.probe()
    finally:
        service.close()


def probe_metrics(file: Path) -> Probe:
    """That metrics can be written. Raises ProbeFailed where they cannot."""
    from janitor.monitoring.metrics import try_to_write  # whose library takes its time to load

    try:
        return Probe(try_to_write(file))
    except OSError as error:
        raise ProbeFailed(f"metrics cannot be written to {file}: {error.strerror}", ()) from error


def probe_references(settings: Settings, declared: Sequence[Reference]) -> Probe:
    """What these references name of the images that were surveyed last. Raises ProbeFailed where one cannot be read."""
    from janitor.references.reading import References  # whose search takes its time to load

    images = [image for every in recorded.latest_images(settings).values() for image in every]
    usage = References(declared, settings.http).named(images)
    if usage.problem is not None:
        raise ProbeFailed(usage.problem, usage.readings)
    known = f"of {len(images)} surveyed last" if images else "(no survey yet)"
    named = f"{counted(len(usage.by_image))} {known} named in {counted(len(declared), 'reference')}"
    return Probe(", ".join((named, *usage.remarks)), usage.readings)


def _probe_channel(probe: Callable[[], str]) -> Probe:
    return Probe(probe())


def failed(name: str, probe: Callable[[], Probe], target: Target | None = None) -> bool:
    """Whether the probe failed, which may be one of a target. Prints its result, with that of each source of usage.

    A failure comes with what to do next, where its message does not say that.
    """
    failing, readings, next_step = False, tuple[Reading, ...](), ""
    try:
        found = probe()
        readings = found.readings
        tell(line(name, f"ok: {visible(found.sentence)}"))
    except (CloudError, DeliveryError, StoreError) as error:
        failing = True
        readings = error.readings if isinstance(error, ProbeFailed) else ()
        next_step = advice.on(error, target)
        tell(line(name, f"failed: {visible(str(error))}"))
    if readings:
        print_out(readings_table(readings))
    if next_step:
        tell(line(name, f"next: {visible(next_step)}"))
    return failing
