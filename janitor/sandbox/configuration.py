"""Writes a janitor.yaml that works against a sandbox."""

import json

from janitor.sandbox.options import Options


def configuration_text(
    endpoint: str,
    options: Options,
    *,
    policies: str = "policies",
    database: str = "sandbox.db",
    mode: str = "dry-run",
    timezone: str = "UTC",
    target: str = "sandbox",
) -> str:
    """The text of a janitor.yaml with one target, the sandbox at `endpoint`; its password is in it."""
    return f"""\
# A configuration for the sandbox at {endpoint}. Save it as janitor.yaml, then: janitor run
mode: {_quoted(mode)}                  # "delete" lets it delete; --dry-run always wins
database: {_quoted(database)}
policies: {_quoted(policies)}          # a file or a directory
timezone: {_quoted(timezone)}
# schedule: "0 3 * * *"            # for `janitor serve`
targets:
  - name: {_quoted(target)}
    api: toast                     # Compute API v1.0
    endpoint: {_quoted(endpoint)}
    appkey: {_quoted(options.appkey)}
    username: {_quoted(options.username)}
    password: {_quoted(options.password)}   # opens nothing but this sandbox; a real one belongs in the environment
"""


def _quoted(text: str) -> str:
    """A YAML text in double quotes, which takes the same escapes as JSON."""
    return json.dumps(text, ensure_ascii=False)
