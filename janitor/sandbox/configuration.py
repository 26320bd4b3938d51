"""Writes a janitor.yaml that works against a sandbox."""

import json


def configuration_text(
    url: str,
    target: str,
    *,
    reference: str = "",
    reference_token: str = "",
    slack: str = "",
    policies: str = "policies",
    database: str = "sandbox.db",
    mode: str = "dry-run",
    timezone: str = "UTC",
) -> str:
    """The text of a janitor.yaml with one target, the sandbox at `url`, with the lines given; it contains the password.

    `reference` is the URL of a document that names images, and `reference_token` its token; `slack` are the lines that
    name a Slack.
    """
    return f"""\
# A configuration for the sandbox at {url}; with it as janitor.yaml: janitor run
mode: {quoted(mode)}                  # "delete" lets it delete; --dry-run always wins
database: {quoted(database)}
policies: {quoted(policies)}          # a file or a directory
timezone: {quoted(timezone)}
# schedule: "0 3 * * *"            # for `janitor serve`
{_references(reference, reference_token)}{slack}targets:
{target}"""


def fleet_text(
    origin: str,
    accounts: int,
    *,
    fleet_database: str = "${JANITOR_FLEET_URL}",
    state: str = "shards",
    shards: str = "16",
    targets: str = "accounts.yaml",
    slack: str = "",
    policies: str = "policies",
    mode: str = "dry-run",
    timezone: str = "UTC",
) -> str:
    """The text of a janitor.yaml for a sandbox of many accounts, whose list is in the file `targets`.

    `fleet_database` is the URL of a PostgreSQL; the other arguments are those of `configuration_text`.
    Wide because each is a value of the file.
    """
    return f"""\
# A configuration for the sandbox of {accounts} accounts at {origin}, each of them below /accounts/ there
mode: {quoted(mode)}                  # "delete" lets it delete; --dry-run always wins
policies: {quoted(policies)}          # a file or a directory
timezone: {quoted(timezone)}
# schedule: "0 3 * * *"            # for `janitor fleet serve`
{slack}fleet:
  database: {quoted(fleet_database)}   # a PostgreSQL, like postgresql://janitor@127.0.0.1/janitor
  state: {quoted(state)}                # the databases of the accounts are below this folder
  shards: {shards}
  targets: {quoted(targets)}
"""


def _references(url: str, token: str) -> str:
    if not url:
        return ""
    return f"""\
# references:                      # texts that name images, where no API shows what uses them
#   - url: {quoted(url)}
#     token: {quoted(token)}
"""


def slack_text(page: str, base_url: str, token: str, app_token: str, channel: str) -> str:
    """The lines of a janitor.yaml that name an embedded Slack, whose page is at `page`; they contain its tokens."""
    return f"""\
slack:                             # what is posted is on the page at {page}
  token: {quoted(token)}
  app_token: {quoted(app_token)}     # for `janitor serve`, which listens to clicks
  channel: {quoted(channel)}
  base_url: {quoted(base_url)}
"""


def quoted(text: str) -> str:
    """A YAML text in double quotes, which takes the same escapes as JSON."""
    return json.dumps(text, ensure_ascii=False)
