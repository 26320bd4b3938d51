"""What this machine has for building containers: buildah and debootstrap, a mirror of Debian, the package registry."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TOOLS = ("buildah", "debootstrap")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_MIRROR = "http://deb.debian.org/debian"
_PASSED_ON = ("PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_OF_PIP = (
    "index-url",
    "extra-index-url",
    "trusted-host",
    "timeout",
    "default-timeout",
    "retries",
    "proxy",
    "find-links",
)


class Unavailable(Exception):
    """This machine cannot build containers: why not, in a sentence."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs commands within one total time, with their temporary files in one folder."""

    folder: Path
    seconds: float
    _began: float = field(default_factory=time.monotonic)

    @property
    def environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed, "HOME": str(self.folder), "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8"}

    def run(
        self, *words: str, environment: Mapping[str, str] | None = None, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run one to its end; when time is up, it is killed with all that it started. Raises CalledProcessError."""
        with self.start(*words, environment=environment) as process:
            try:
                out, err = process.communicate(timeout=max(self.seconds - (time.monotonic() - self._began), 1))
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        done = subprocess.CompletedProcess(words, process.returncode, out, err)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words[:2])} … ended with {done.returncode}:\n{out[-4000:]}{err[-4000:]}")
        return done

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start one, in a process group of its own."""
        pipe = subprocess.PIPE
        everything = {**self.environment, **(environment or {})}
        return subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=everything, start_new_session=True)


def install_tools(commands: Commands) -> None:
    """Install the tools if they are missing. Raises Unavailable."""
    if os.geteuid() != 0:
        raise Unavailable("only root can build a container without an engine, and this is not root")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise Unavailable(f"{' and '.join(missing)} are not installed, and there is no apt-get to install them with")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    commands.run("apt-get", "update", "-q", environment=quiet, check=False)
    install = ("apt-get", "install", "-q", "-y", "--no-install-recommends", *missing)
    done = commands.run(*install, environment=quiet, check=False)
    if done.returncode:
        raise Unavailable(f"apt-get cannot install {' and '.join(missing)}: {last_line(done)}")


def make_debian(commands: Commands, suite: str, place: Path) -> None:
    """A Debian with Python at that place, as images of Python have it, and with this machine's way to the registry.

    Raises Unavailable.
    """
    packages = "--include=python3,python3-venv,python3-pip,ca-certificates"
    words = ("debootstrap", "--variant=minbase", packages, suite, str(place), _mirror(commands))
    done = commands.run(*words, check=False)
    if done.returncode:
        raise Unavailable(f"debootstrap cannot make a Debian {suite}: {last_line(done)}")
    (place / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for marker in place.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()  # as in images of Python, pip may install what the build needs
    (place / "etc/pip.conf").write_text(_pip_configuration(commands))
    with (place / AUTHORITIES.relative_to("/")).open("ab") as authorities:
        for file in {AUTHORITIES, *(Path(path) for path in _pip_options(commands).get("cert", "").split())}:
            authorities.write(b"\n" + file.read_bytes() if file.is_file() else b"")


def _mirror(commands: Commands) -> str:
    """The mirror of Debian that this machine uses."""
    if shutil.which("apt-get") is not None:
        listed = commands.run("apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", check=False).stdout
        for origin, _, url in (line.partition(" ") for line in listed.splitlines()):
            if origin == "Debian" and "security" not in url and url.startswith("http"):
                return url.rstrip("/")
    return _MIRROR


def _pip_options(commands: Commands) -> dict[str, str]:
    """How pip is configured here, by file or environment."""
    registry = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    home = {"HOME": os.environ.get("HOME", "/")}
    words = (sys.executable, "-m", "pip", "config", "list")
    listed = commands.run(*words, environment={**registry, **home}, check=False).stdout
    pairs = (line.partition("=") for line in listed.splitlines())
    return {name.rpartition(".")[2]: str(ast.literal_eval(value)) for name, _, value in pairs}


def _pip_configuration(commands: Commands) -> str:
    """The same for inside the container, without paths of this machine."""
    lines = ["[global]", f"cert = {AUTHORITIES}"]
    for name, value in _pip_options(commands).items():
        reachable = [word for word in value.split() if "/" not in word or word.startswith(("http:", "https:"))]
        if name in _OF_PIP and reachable:
            lines.append(f"{name} = {' '.join(reachable)}")
    return "\n".join(lines) + "\n"


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    """What a command said last."""
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended with {done.returncode}"
