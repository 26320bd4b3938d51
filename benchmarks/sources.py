"""`python -m benchmarks.sources LATENCY ROUNDS`: asks all sources of usage in parallel and each by itself.

Prints as JSON, for each round, how much longer all of them take than the slowest.

The sandbox runs in a process of its own, with so many milliseconds added to every request.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import yaml

from benchmarks.sandbox import sandbox
from janitor.cloud.openstack.target import OpenStackTarget
from janitor.cloud.service import Need, Sources
from janitor.config import Settings, load_settings
from janitor.core.image import Image
from janitor.core.usage import EarlierUsage
from janitor.run.sites import Choice, sites_of

_IMAGES = 200
_NOTHING = Sources(*[Need.OFF] * len(fields(Sources)))
_SERVICES = ("servers", "volumes", "clusters", "stacks")


def main() -> None:
    """Measure, rounds interleaved, and print the ratios."""
    latency, rounds = (int(word) for word in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder:
        place = Path(folder)
        with sandbox(_IMAGES, latency, place, "--api", "openstack") as configuration:
            (place / "janitor.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
            settings = load_settings(place / "janitor.yaml", {})
            print(json.dumps(_ratios(settings, rounds)))


def _ratios(settings: Settings, rounds: int) -> list[float]:
    choices = [replace(_NOTHING, **{name: Need.REQUIRED}) for name in _SERVICES]
    together = Sources(snapshots=Need.REQUIRED)
    return [_seconds(settings, together) / max(_seconds(settings, choice) for choice in choices) for _ in range(rounds)]


def _seconds(settings: Settings, sources: Sources) -> float:
    """How long these sources take, once signed in and with the images listed."""
    [target] = settings.targets
    assert isinstance(target, OpenStackTarget)
    asking = replace(settings, targets=(replace(target, usage=sources),))
    [site] = sites_of(asking, Choice(asking.targets))
    with closing(site.connect()) as service:
        images: Sequence[Image] = list(service.images())
        began = time.perf_counter()
        usage = service.usage(images, EarlierUsage())
        seconds = time.perf_counter() - began
    assert usage.problem is None, usage.problem
    return seconds


if __name__ == "__main__":
    main()
