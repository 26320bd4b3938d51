"""The files that `janitor init` writes, as texts. What a person typed is quoted, and secrets are variables only."""

from collections.abc import Iterator

from janitor.cli.commands.beginning.questions import Answers

VARIABLES = {
    "NHN_TENANT_ID": "tenant ID: Compute > Instance > Management, button Set API Endpoint",
    "NHN_USERNAME": "ID of the member whose API password this is",
    "NHN_PASSWORD": "API password, which is set in the same dialog; not that of the console",
    "TOAST_APPKEY": "appkey of the Compute service: Compute > Instance, button URL & Appkey",
    "TOAST_USERNAME": "ID of the member whose API password this is",
    "TOAST_PASSWORD": "API password; not that of the console",
    "SLACK_WEBHOOK_URL": "URL of the incoming webhook; whoever knows it can post",
    "SLACK_BOT_TOKEN": "token of the bot (xoxb-…), with the scopes chat:write and files:write",
}

_APP_TOKEN = (
    "# app-level token (xapp-…) with the scope connections:write, for buttons that keep images; see docs/slack.md",
    "# SLACK_APP_TOKEN=",
)


def configuration_text(answers: Answers) -> str:
    """The text of janitor.yaml."""
    return "\n".join([*_top(answers), *_target(answers), *_rest(answers)]) + "\n"


def _top(answers: Answers) -> Iterator[str]:
    yield "# Written by `janitor init`. `janitor check` says whether it is right; docs/configuration.md has every key."
    yield "mode: dry-run                 # nothing is deleted until this says delete"
    yield "database: janitor.db"
    yield "policies: policies            # a folder, whose files are read in the order of their names"
    yield f"schedule: {_quoted(answers['schedule'])}         # only `janitor serve` needs it"
    yield f"timezone: {_quoted(answers['timezone'])}"


def _target(answers: Answers) -> Iterator[str]:
    yield "targets:"
    yield f"  - name: {_quoted(answers['name'])}"
    yield f"    api: {answers['api']}"
    if answers["api"] == "toast":
        yield f"    endpoint: {_quoted(answers['endpoint'])}"
        yield from _variables("TOAST_", "appkey", "username", "password")
    elif answers["cloud"]:
        yield f"    cloud: {_quoted(answers['cloud'])}                # of clouds.yaml"
    else:
        yield f"    identity: {_quoted(answers['identity'])}"
        yield from _variables("NHN_", "tenant_id", "username", "password")
    if answers.get("region"):
        yield f"    region: {_quoted(answers['region'])}"


def _variables(prefix: str, *keys: str) -> Iterator[str]:
    return (f"    {key}: ${{{prefix}{key.upper()}}}" for key in keys)


def _rest(answers: Answers) -> Iterator[str]:
    yield "limits:                       # per run and target; over a limit nothing is deleted there"
    yield "  max_deletions: 100"
    yield "  max_share: 50%              # of the images that the target owns"
    match answers["slack"]:
        case "webhook":
            yield "slack:"
            yield "  webhook_url: ${SLACK_WEBHOOK_URL}"
        case "bot":
            yield "slack:"
            yield "  token: ${SLACK_BOT_TOKEN}"
            yield "  # app_token: ${SLACK_APP_TOKEN}   # with it, messages have buttons that keep images"
            yield f"  channel: {_quoted(answers['channel'])}"
        case _:
            yield "# slack:                      # without it nobody is told, and no policy can have a `notice`"
            yield "#   webhook_url: ${SLACK_WEBHOOK_URL}"


def example_of_environment(answers: Answers) -> str:
    """The text of .env.example."""
    lines = [
        "# The variables that janitor.yaml names. Copy this file to .env, which only you may read, fill it in; then:",
        "#   set -a; . ./.env; set +a",
        "# A value with blanks or signs is written in single quotes there; for `docker run --env-file` without them.",
    ]
    names = variables_of(answers)
    if not names:
        lines[1:] = ["# It names none: the credentials are in clouds.yaml."]
    lines += [line for name in names for line in (f"# {VARIABLES[name]}", f"{name}=")]
    if answers["slack"] == "bot":
        lines += _APP_TOKEN
    return "\n".join(lines) + "\n"


def variables_of(answers: Answers) -> list[str]:
    """The variables that the configuration names, and that have to be set."""
    text = "\n".join(line for line in configuration_text(answers).splitlines() if not line.startswith("#"))
    return [name for name in VARIABLES if f"${{{name}}}" in text]


def _quoted(text: str) -> str:
    """A text as YAML, exactly as it was typed: `${` is no variable, `#` begins no comment."""
    literal = text.replace("${", "$${")
    return '"' + "".join(map(_escaped, literal)) + '"'


def _escaped(mark: str) -> str:
    if mark in '"\\':
        return f"\\{mark}"
    return mark if mark.isprintable() else f"\\U{ord(mark):08x}"
