"""`python -m benchmarks.until_run CONFIG`: `janitor run`, which ends where it would begin to hold the database."""

import os
import sys
from typing import Any, NoReturn

from janitor.cli import app, wiring


def _end(*_parts: Any, **_named: Any) -> NoReturn:
    os._exit(0)


if __name__ == "__main__":
    wiring.perform = _end
    sys.argv = ["janitor", "run", "--dry-run", "-c", sys.argv[1]]
    app.main()
    sys.exit("the run did not begin where it was expected to")
