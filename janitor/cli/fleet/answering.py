"""Commands about one account that were asked on another host: carried out where the account's database is."""

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from janitor.cli.fleet.context import Connections
from janitor.fleet.outputs import Output, answer, read
from janitor.shutdown import Stop

_PATIENCE = timedelta(hours=6)
_TIME_TO_END = timedelta(seconds=6)
_LOOK_EVERY = 0.2
_LARGEST = 2**20
_CUT = "\n[cut here: the rest is longer than what is kept]\n"
_BY_SIGNAL = 128

_log = logging.getLogger("janitor.fleet")


@dataclass(frozen=True, slots=True)
class Answerer:
    """Carries out such commands, each in a process of its own, by the configuration of this host.

    `worker` is who has leased the shards; once told to stop, or killed, what is being carried out is told so, too.
    """

    config: Path | None
    connections: Connections
    worker: str
    stop: Stop

    def answer(self, identity: str) -> None:
        """Carry out the command that was noted under this id, and note what it answered. Raises FleetError."""
        with self.connections.one() as connection:
            asked = read(connection, identity)
        if asked is None or asked.exit_code is not None:
            return
        _log.info("command-of-an-account account=%s command=%s by=%s", asked.account, asked.words[0], asked.asked_by)
        output, errors, code = self._carried_out(asked)
        with self.connections.one() as connection:
            answer(connection, identity, output, errors, code)

    def _carried_out(self, asked: Output) -> tuple[str, str, int]:
        configured = [] if self.config is None else ["--config", str(self.config)]
        ours = ["--here", self.worker, "--asked-by", asked.asked_by, "--digest", asked.digest]
        command = [sys.executable, "-m", "janitor", "fleet", "exec", *configured, *ours, "--", asked.account, "--"]
        while_we_live, held = os.pipe()
        try:
            with subprocess.Popen(  # noqa: S603 - our own command, whose words are checked there again
                [*command, *asked.words], stdin=while_we_live, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                output, errors = self._ended(process)
        finally:
            os.close(while_we_live)
            os.close(held)
        code = process.returncode
        return _kept(output), _kept(errors), code if code >= 0 else _BY_SIGNAL - code

    def _ended(self, process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
        """What the process wrote until it ended, by itself or as it was told to."""
        ends = time.monotonic() + _PATIENCE.total_seconds()
        told = False
        while True:
            try:
                return process.communicate(timeout=_LOOK_EVERY)
            except subprocess.TimeoutExpired:
                late = time.monotonic() > ends
            if told and late:
                process.kill()
            elif not told and (late or self.stop.is_set()):
                process.terminate()
                told, ends = True, time.monotonic() + _TIME_TO_END.total_seconds()


def _kept(written: bytes) -> str:
    text = written.decode(errors="replace").replace("\0", "")
    return text if len(text) <= _LARGEST else text[:_LARGEST] + _CUT
