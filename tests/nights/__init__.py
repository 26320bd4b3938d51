"""A hundred nights on simulated time: a fleet that people change, faults and crashes at random, and what must hold.

    python -m tests.nights --seeds 500 --jobs 2    # many seeds; says what it met, and how to repeat what breaks a rule
    python -m tests.nights --from 17 --seeds 1

Policies, client, runs, database, reports and their delivery are the real ones, put together as a command does it. The
cloud and Slack are stood in for without sockets, and a crash is an exception that takes the run away at a random place,
leaving the database, the cloud and the channel as they are.

Beside faults of the API, images are renamed, protected or published between two pages of a list, the target reaches
another account for some nights, the machine is down, an older copy of the database is restored, and something between
the janitor and Slack answers in its place, or a byte a second.
"""

import tempfile
from collections import Counter
from pathlib import Path

from tests.in_memory import folder_in_memory
from tests.nights.ground import Broken, disconnect
from tests.nights.simulation import NIGHTS, START, Simulation

__all__ = ["Broken", "simulate"]


def simulate(seed: int, nights: int = NIGHTS) -> Counter[str]:
    """One seed; what it met. Raises Broken, with how to repeat it."""
    with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
        simulation = Simulation(seed, Path(folder))
        try:
            simulation.live(nights)
        except Exception as error:
            night = (simulation.clockwork.now - START).days
            error.add_note(f"seed {seed}, night {night}; repeat: python -m tests.nights --from {seed} --seeds 1")
            raise
        finally:
            disconnect(simulation.settings.database)
        return simulation.counts
