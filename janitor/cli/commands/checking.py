"""The command that tries everything beforehand: `check`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from janitor.cli import wiring
from janitor.cli.commands.loading import load
from janitor.cli.terminal import print_out, say
from janitor.clock import utc_now
from janitor.cloud.service import Probe, ProbeFailed
from janitor.config import Settings
from janitor.config.accounts import identify
from janitor.config.policy_files import PASSED_OVER, Rules
from janitor.core.policy import Policy
from janitor.core.policy_lint import exempting_nothing, owning_nothing, remarks_on
from janitor.core.units import counted
from janitor.core.usage import Reading
from janitor.errors import CloudError, DeliveryError, Exit, StoreError
from janitor.escaping import visible
from janitor.notify import delivery
from janitor.references import Reference, References
from janitor.report.tables import readings_table
from janitor.run import sites
from janitor.run.orders import Site


def check(config: Path | None, verbose: int, *, live: bool) -> int:
    """Say whether configuration and policies are right, when the next runs are, and with `live` whether all answer."""
    settings, rules = load(config, verbose)
    identify(settings, settings.targets)
    for line in _checked(settings, rules):
        say(line)
    failures = [_probed("database", lambda: Probe(wiring.database_of(settings)))]
    if not any(failures):
        _say_what_is_idle(settings, rules)
    declared = [one for one in settings.references if live or one.url is None]
    unasked = len(settings.references) - len(declared)
    if unasked:
        say(f"references     {counted(unasked, 'URL')} not asked: --live does")
    if declared:
        failures.append(_probed("references", partial(_probe_references, settings, declared)))
    if live:
        failures += [_probed(*probe) for probe in _probes(settings, rules.policies)]
    return Exit.FAILED if any(failures) else Exit.OK


def _checked(settings: Settings, rules: Rules) -> Iterator[str]:
    targets = ", ".join(target.name for target in settings.targets)
    yield f"configuration  ok: {settings.source}, mode {settings.mode}, targets: {targets}"
    yield f"policies       ok: {settings.policies}, {', '.join(policy.name for policy in rules.policies)}"
    if rules.passed_over:
        yield f"policies       note: {PASSED_OVER}: {', '.join(map(visible, rules.passed_over))}"
    for remark in remarks_on(rules.policies, sites.names_without_signing_in(settings)):
        yield f"policies       note: {remark}"
    if rules.exemptions:
        yield f"exemptions     ok: {len(rules.exemptions)} in policy files"
    yield from _ways(settings)
    if settings.slack is not None and settings.slack.accepts != "slack":
        yield f"slack          note: accepts: {settings.slack.accepts}: answers that are not Slack's may start notices"
    if settings.schedule is None:
        yield "schedule       none: `janitor serve` needs one, `janitor run` does not"
        return
    yield f"schedule       {settings.schedule.text} ({settings.timezone.key})"
    for instant in settings.schedule.upcoming(utc_now(), settings.timezone, 3):
        yield f"next run       {instant.isoformat()}"


def _ways(settings: Settings) -> Iterator[str]:
    """By which proxy and certificates each target is asked, and the rest, where anything was said about it."""
    for target in settings.targets:
        if way := target.http.route.described(target.address):
            yield f"network        {target.name}: {way}"
    if way := settings.http.route.described(None):
        yield f"network        Slack, heartbeat and references: {way}"


def _say_what_is_idle(settings: Settings, rules: Rules) -> None:
    """Where there are snapshots: what of the policy files is about no image of the latest, as it may well be."""
    images = wiring.latest_images(settings)
    if not any(images.values()):
        return
    last = f"note: of the {counted(sum(map(len, images.values())))} surveyed last, none is"
    if idle := owning_nothing(rules.policies, images):
        say(f"policies       {last} owned by {', '.join(idle)}")
    if strange := exempting_nothing(rules.exemptions, images):
        say(f"exemptions     {last} called {' or '.join(strange)}")


def _probes(settings: Settings, policies: Sequence[Policy]) -> Iterator[tuple[str, Callable[[], Probe]]]:
    known = wiring.known_targets(settings)
    for site in sites.sites_of(settings, sites.Choice(settings.targets), known=known):
        also = f" (also {', '.join(site.also_named)})" if site.also_named else ""
        yield f"target {site.name}{also}", partial(_probe, site)
    if settings.slack is not None:
        yield "slack", partial(_probe_channel, settings, None)
        for name in dict.fromkeys(delivery.channels_of(policies, settings.slack.channel).values()):
            yield f"slack {name}", partial(_probe_channel, settings, name)


def _probe(site: Site) -> Probe:
    service = site.connect()
    try:
        return service.probe()
    finally:
        service.close()


def _probe_references(settings: Settings, declared: Sequence[Reference]) -> Probe:
    """What these references name of the images that were surveyed last. Raises ProbeFailed where one cannot be read."""
    images = [image for every in wiring.latest_images(settings).values() for image in every]
    usage = References(declared, settings.http).named(images)
    if usage.problem is not None:
        raise ProbeFailed(usage.problem, usage.readings)
    known = f"of {len(images)} surveyed last" if images else "as none was surveyed yet"
    named = f"{counted(len(usage.by_image))} {known} named in {counted(len(declared), 'reference')}"
    return Probe(", ".join((named, *usage.remarks)), usage.readings)


def _probe_channel(settings: Settings, name: str | None) -> Probe:
    channel = delivery.channel_of(settings) if name is None else delivery.channel_of(settings, name)
    return Probe(channel.probe())


def _probed(name: str, probe: Callable[[], Probe]) -> bool:
    """Whether the probe failed; either way it is said, with what became of asking each source of usage."""
    failed, readings = False, tuple[Reading, ...]()
    try:
        found = probe()
        readings = found.readings
        say(f"{name:<14} ok: {visible(found.sentence)}")
    except (CloudError, DeliveryError, StoreError) as error:
        failed = True
        readings = error.readings if isinstance(error, ProbeFailed) else ()
        say(f"{name:<14} failed: {visible(str(error))}")
    if readings:
        print_out(readings_table(readings))
    return failed
