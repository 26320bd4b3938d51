"""`python -m tests.glance`: the cloud with every specimen in it, for manual trials until Ctrl-C."""

import signal
from contextlib import suppress

import yaml

from tests.glance.cloud import running
from tests.glance.specimens import POLICIES, make_fleet


def main() -> None:
    """Print a clouds.yaml, and policies to clean `ours` with; then wait."""
    with suppress(KeyboardInterrupt), running() as cloud:
        fleet = make_fleet(cloud)
        people = {"ours": fleet.ours, "theirs": fleet.theirs, "admin": cloud.admin}
        entries = {name: person.clouds_entry() for name, person in people.items()}
        print(yaml.safe_dump({"clouds": entries}), POLICIES, sep="\n", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
