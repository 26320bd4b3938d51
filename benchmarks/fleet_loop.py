"""`python -m benchmarks.fleet_loop FOLDER`: runs over all accounts of a fleet, one after the other, in one process.

As `janitor run` makes them, without its start: configuration and policies read, run, report delivered and written.
"""

import sys
from pathlib import Path

from janitor.cli import wiring
from janitor.cli.configuration import accounts_from, rules_of
from janitor.cli.fleet.endings import ending_of
from janitor.core.result import Mode
from janitor.notify.delivery import deliver
from janitor.run.sites import Choice


def main() -> None:
    """Run once over each account."""
    accounts = accounts_from(Path(sys.argv[1]) / "janitor.yaml")
    rules = rules_of(accounts.settings)
    for name in accounts.names:
        settings = accounts.settings_of(name)
        settings.database.parent.mkdir(parents=True, exist_ok=True)
        result = wiring.perform(settings, rules, wiring.RunRequest(Mode.DELETE, Choice(settings.targets)))
        posted = deliver(settings, result, rules.policies)
        ending_of(result, wiring.code_of(result, posted.code), posted, settings, result.started_at)


if __name__ == "__main__":
    main()
