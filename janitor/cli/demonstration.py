"""The demonstration: three nights of the janitor on simulated time, against a sandbox and a channel of its own."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from janitor.cli import wiring
from janitor.cli.commands.beginning.shipped import shipped_policies
from janitor.cli.commands.loading import load
from janitor.cli.commands.options import Common
from janitor.cli.terminal import print_out, say
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.result import Mode
from janitor.errors import Exit, worst
from janitor.notify.announcing import as_told
from janitor.notify.channel import Sending
from janitor.notify.delivery import deliver
from janitor.report.brief import brief_report
from janitor.report.wording import local_minute
from janitor.run.sites import Choice
from janitor.sandbox import server
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from janitor.sandbox.webhook import accepting
from janitor.shutdown import Stop, stopping_on_signals

_DAY = timedelta(days=1)
_NIGHTS = (
    "stuck uploads are deleted, old images are announced",
    "announced images wait for the end of their notice",
    "announced images are deleted",
)
_NOTICED, _NOTICE = "20-old-images.yaml", "36h"


@dataclass(slots=True)
class _SimulatedClock:
    """The time of the demonstration: nights follow each other at once, and within a night time passes as usual."""

    night: datetime
    _began: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return self.night + timedelta(seconds=time.monotonic() - self._began)

    def pass_a_day(self) -> None:
        self.night, self._began = self.night + _DAY, time.monotonic()


def demonstrate(api: Api, common: Common) -> int:
    """Three nights with the shipped policies, where old images are announced before; leaves nothing behind."""
    clock, stop = _SimulatedClock(utc_now().replace(hour=3, minute=0, second=0, microsecond=0)), Stop()
    codes = [Exit.OK]
    with stopping_on_signals(stop), _configuration(api, clock) as config:
        settings, rules = load(replace(common, config=config))
        for number, title in enumerate(_NIGHTS, start=1):
            if stop.is_set():
                break
            say(f"\nNight {number}, {local_minute(clock(), settings.timezone)}: {title}\n")
            codes.append(_night(settings, rules, clock, stop))
            clock.pass_a_day()
    return 128 + stop.signal_number if stop.is_set() else worst(codes)


def _night(settings: Settings, rules: Rules, clock: _SimulatedClock, stop: Stop) -> Exit:
    """One live run, its report delivered and printed in brief."""
    request = wiring.RunRequest(Mode.DELETE, Choice(settings.targets), command="janitor demo")
    result = wiring.perform(settings, rules, request, wiring.Surroundings(stop=stop, clock=clock))
    delivery = deliver(settings, result, rules.policies, sending=Sending(stop), clock=clock)
    told = as_told(result, delivery.announced)
    print_out(brief_report(told, [policy.name for policy in rules.policies]))
    return wiring.code_of(result, delivery.code)


@contextmanager
def _configuration(api: Api, clock: _SimulatedClock) -> Iterator[Path]:
    """A janitor.yaml for a sandbox and a webhook that answer until the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="janitor-demo-") as name,
        server.running(Options(api=api), clock) as cloud,
        accepting(clock) as webhook,
    ):
        folder = Path(name)
        _write_policies(folder / "policies")
        text = cloud.configuration(policies="policies", mode="delete")
        # Both are on this machine, and must be reached without a proxy.
        text += f"http: {{no_proxy: '*'}}\nslack: {{webhook_url: '{webhook}', post: always}}\n"
        config = folder / "janitor.yaml"
        config.write_text(text, encoding="utf-8")
        say(f"A cloud of {len(cloud.account.images)} images, and the policies in {shipped_policies()}.")
        say(f"Old images have `notice: {_NOTICE}`: they are announced before they are deleted.")
        yield config


def _write_policies(folder: Path) -> None:
    """The shipped policies, and a notice for the old images among them."""
    folder.mkdir()
    for file in sorted(shipped_policies().glob("*.yaml")):
        notice = f"notice: {_NOTICE}\n" if file.name == _NOTICED else ""
        (folder / file.name).write_text(notice + file.read_text(encoding="utf-8"), encoding="utf-8")
