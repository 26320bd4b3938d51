"""Commands about one account that were asked on another host: carried out where the account's database is."""

import logging
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from janitor.cli.fleet.context import Connections
from janitor.fleet.outputs import answer, read

_PATIENCE = timedelta(minutes=10)
_LARGEST = 2**20
_CUT = "\n[cut here: the rest is longer than what is kept]\n"

_log = logging.getLogger("janitor.fleet")


@dataclass(frozen=True, slots=True)
class Answerer:
    """Carries out such commands, each in a process of its own, by the configuration of this host."""

    config: Path | None
    connections: Connections

    def answer(self, identity: str) -> None:
        """Carry out the command that was noted under this id, and note what it answered. Raises FleetError."""
        with self.connections.one() as connection:
            asked = read(connection, identity)
            if asked is None or asked.exit_code is not None:
                return
            _log.info("command-of-an-account account=%s command=%s", asked.account, asked.words[0])
            output, errors, code = self._carried_out(asked.account, asked.words)
            answer(connection, identity, output, errors, code)

    def _carried_out(self, account: str, words: tuple[str, ...]) -> tuple[str, str, int]:
        configured = [] if self.config is None else ["--config", str(self.config)]
        command = [sys.executable, "-m", "janitor", "fleet", "exec", *configured, "--here", account, "--", *words]
        try:
            done = subprocess.run(  # noqa: S603 - our own command, whose words are checked there again
                command, capture_output=True, timeout=_PATIENCE.total_seconds(), check=False, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return "", f"janitor: the command did not end within {_PATIENCE}\n", 1
        return _kept(done.stdout), _kept(done.stderr), done.returncode


def _kept(written: bytes) -> str:
    text = written.decode(errors="replace").replace("\0", "")
    return text if len(text) <= _LARGEST else text[:_LARGEST] + _CUT
