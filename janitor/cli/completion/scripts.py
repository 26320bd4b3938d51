"""The script that makes a shell complete the command: click's, whose errors do not appear where a person is typing."""

import click
from click.shell_completion import get_completion_class

_COMMAND, _VARIABLE = "janitor", "_JANITOR_COMPLETE"
_CALLS = {
    "bash": f"{_VARIABLE}=bash_complete $1",
    "zsh": f"{_VARIABLE}=zsh_complete {_COMMAND}",
    "fish": f"COMP_CWORD=(commandline -t) {_COMMAND}",
}
"""How the script of each shell calls the command, at its end."""


def script(group: click.Group, shell: str) -> str:
    """The script for one of the shells."""
    kind = get_completion_class(shell)
    assert kind is not None
    call = _CALLS[shell]
    return kind(group, {}, _COMMAND, _VARIABLE).source().replace(f"{call})", f"{call} 2>/dev/null)")
