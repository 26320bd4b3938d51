"""What kind of cloud an account is in, and how its target is configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from janitor.cloud.service import Need
from janitor.core.usage import Source
from janitor.sandbox.calls import Api
from janitor.sandbox.options import (
    REGIONS,
    VOLUME_TYPES,
    Absent,
    Booleans,
    MarkerReading,
    Options,
    SortDirection,
    Times,
)

_TARGET = "sandbox"
_EVERY_REGION = "*"
_AUTO = dict.fromkeys(Source, Need.AUTO)
_NEVER_ASKED = frozenset({Source.SNAPSHOTS, Source.REFERENCES})


@dataclass(frozen=True)
class Cloud:
    """A cloud, and a target in it: its `region`, where it needs one, and how much each source matters to it."""

    options: Options
    region: str | None = None
    needs: Mapping[Source, Need] = field(default_factory=lambda: _AUTO)

    @property
    def site(self) -> str:
        """The janitor's name for the one site that it cleans."""
        return f"{_TARGET}-{REGIONS[0]}" if self.region == _EVERY_REGION else _TARGET

    def configured(self, text: str) -> str:
        """A janitor.yaml of the sandbox, for this target."""
        if self.region is None:
            return text
        [line] = [line for line in text.splitlines() if line.startswith("    region: ")]
        usage = ", ".join(f"{source}: {need}" for source, need in self.needs.items() if source not in _NEVER_ASKED)
        return text.replace(line, f'    region: "{self.region}"\n    usage: {{{usage}}}')


def draw_cloud(draw: Random) -> Cloud:
    """A random cloud."""
    options = Options(
        api=draw.choice(list(Api)),
        images=draw.choice((40, 50, 60, 60, 150)),
        seed=draw.randrange(10**6),
        page_cap=draw.choice((7, 20, 1000)),
        marker=draw.choice(list(MarkerReading)),
        sort=draw.choice(list(SortDirection)),
        oddities=draw.random() < 0.3,
    )
    if options.api is Api.OPENSTACK:
        options = replace(options, **_services(draw))
        return Cloud(options, _region(draw, options), {**_AUTO, **_needs(draw, options)})
    booleans, times, absent = (draw.choice(list(choices)) for choices in (Booleans, Times, Absent))
    return Cloud(replace(options, booleans=Booleans(booleans), times=Times(times), absent=Absent(absent)))


def _services(draw: Random) -> dict[str, Any]:
    """Which services there are, and how the catalogue has them."""
    # How the regions have images: each its own, all the same, or all the same and said of the first only.
    regions, shared = draw.choice(((1, ""), (1, ""), (1, ""), (2, ""), (2, "shared_images"), (2, "image_in_first")))
    apart = regions == 2 and not shared
    absent = draw.choice(("", "", "", "", "no_volumes", "no_clusters", "no_stacks"))
    return {
        "regions": regions,
        **({shared: True} if shared else {}),
        **({absent: True} if absent else {}),
        "computes": draw.choice((1, 1, 2, 3)),
        "compute_microversion": draw.choice(("2.96", "2.96", "2.60", "none")),
        "volume_type": draw.choice(VOLUME_TYPES),
        # Of regions with images of their own, a service is known by its region only.
        "volume_region": "" if apart else draw.choice(("", "", "Elsewhere")),
        "volume_interface": draw.choice(("public", "public", "internal")),
        "kubernetes": absent != "no_clusters" and draw.random() < 0.3,
        "kernels": draw.random() < 0.6,
    }


def _region(draw: Random, options: Options) -> str:
    if options.shared_images:
        return draw.choice((*REGIONS, _EVERY_REGION))
    # The first only, where each region would be a site of its own.
    return draw.choice((REGIONS[0], _EVERY_REGION)) if options.image_in_first else REGIONS[0]


def _needs(draw: Random, options: Options) -> dict[Source, Need]:
    present = {
        Source.SERVERS: True,
        Source.VOLUMES: not options.no_volumes,
        Source.CLUSTERS: not options.no_clusters,
        Source.STACKS: not options.no_stacks,
    }
    return {
        source: draw.choice((Need.AUTO, Need.AUTO, Need.OPTIONAL, *((Need.REQUIRED,) if there else ())))
        for source, there in present.items()
    }
