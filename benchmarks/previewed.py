"""`python -m benchmarks.previewed CONFIGURATION POLICIES ROUNDS`: tries policies on a recorded snapshot.

Prints a ratio for each round, as JSON: how much more CPU time `janitor preview` takes, its output and all that it reads
included, than to read the inputs of the run and decide once. Both in one process, so that neither counts its imports.
"""

import gc
import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from janitor.cli import configuration
from janitor.cli.app import janitor
from janitor.cloud.apis import wire_keys
from janitor.config import Settings
from janitor.core.replay.inputs import decided, night_of
from janitor.store import Store

_AT_ONCE = 3  # one takes a few tenths of a second, which varies


def main() -> None:
    """Measure, rounds interleaved, and print the ratios."""
    config, policies, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    settings = configuration.settings_from(config, offline=True)
    gc.set_threshold(200_000, 50, 100)  # as the janitor sets it
    _bare(settings)
    _preview(config, policies)  # imports, and caches of texts
    print(json.dumps([_ratio(settings, config, policies) for _ in range(rounds)]))


def _ratio(settings: Settings, config: Path, policies: str) -> float:
    pairs = [(_preview(config, policies), _bare(settings)) for _ in range(_AT_ONCE)]
    return sum(preview for preview, _ in pairs) / sum(bare for _, bare in pairs)


def _preview(config: Path, policies: str) -> float:
    began = time.process_time()
    with redirect_stdout(io.StringIO()):
        janitor.main(["preview", "--policies", policies, "-c", str(config)], standalone_mode=False)
    return time.process_time() - began


def _bare(settings: Settings) -> float:
    """Read what the latest run of the first target had before it, and decide by its policies."""
    began = time.process_time()
    with Store.open_existing(settings.database) as store:
        found = store.latest_inputs(store.targets()[0])
    assert found is not None
    inputs = found[1]
    assert inputs.basis is not None
    assert inputs.grounds is not None
    decided(night_of(inputs, inputs.basis, inputs.grounds, wire_keys(inputs.api)), inputs.basis.policies)
    return time.process_time() - began


if __name__ == "__main__":
    main()
