"""What a command that only reads what is recorded needs no value of: secrets, and the addresses that they are for.

Where such a value is missing, a stand-in takes its place, so that all that follows from its being configured is as with
the value: that there is Slack, and which targets there are. It is a host that cannot exist (RFC 2606).
"""

from collections.abc import Mapping

from janitor.cloud.apis import APIS
from janitor.documents import Keys

TARGET_SECRETS = tuple(dict.fromkeys(secret for api in APIS.values() for secret in api.secrets))
SLACK_SECRETS = ("webhook_url", "token", "app_token")
REFERENCE_SECRETS = ("token",)
OWN_SECRETS = ("heartbeat_url",)
FLEET_SECRETS = ("database",)

_OF_TARGETS = frozenset((*TARGET_SECRETS, *(key for api in APIS.values() for key in api.addresses)))
_OF_SLACK = frozenset((*SLACK_SECRETS, "base_url"))
_OF_REFERENCES = frozenset((*REFERENCE_SECRETS, "url", "files"))
_OF_HTTP = frozenset({"proxy", "no_proxy", "ca_file"})


def is_unneeded(keys: Keys, channel_secrets: frozenset[str]) -> bool:
    """Whether the value at these keys, or the file that it names, is a secret or an address."""
    match keys:
        case ("http", str(key)) | ("targets", int(), "http", str(key)):
            return key in _OF_HTTP
        case ("targets", int(), str(key)):
            return _secret_of(key) in _OF_TARGETS
        case ("slack", str(key)):
            return _secret_of(key) in _OF_SLACK
        case ("fleet", str(key)):
            return _secret_of(key) in FLEET_SECRETS
        case ("references", int(), str(key)):
            return _secret_of(key) in _OF_REFERENCES
        case ("channels", int(), str(key)):
            return _secret_of(key) in channel_secrets
        case (str(key),):
            return _secret_of(key) in OWN_SECRETS
    return False


def _secret_of(key: str) -> str:
    return key.removesuffix("_file")


def stand_in(keys: Keys) -> str | None:
    """What takes the place of the value at these keys; None where leaving the key out changes nothing else.

    No two keys have the same, as two targets with the same secret could be taken for one account.
    """
    if "http" in keys or _secret_of(str(keys[0])) in OWN_SECRETS:
        return None
    place = "-".join(str(key).replace("_", "-") for key in keys)
    if keys == ("slack", "app_token"):
        return f"xapp-{place}.invalid"
    return f"{'postgresql' if keys[0] == 'fleet' else 'https'}://{place}.invalid"


def slack_to_assume(slack: Mapping[str, object], lacking: frozenset[Keys]) -> str | None:
    """The secret that Slack would have, where all of those that are written may be empty, and are.

    Whether a webhook or a token is missing shows in the channel, which a webhook has no use for.
    """
    if any(name in slack for name in SLACK_SECRETS[:2]):
        return None
    missing = [name for name in SLACK_SECRETS[:2] if {("slack", name), ("slack", f"{name}_file")} & lacking]
    of_bots = {"channel", "app_token"} & slack.keys()
    preferred = reversed(missing) if of_bots else missing
    return next(iter(preferred), None)


def with_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment as where runs begin, whose credentials targets may have from there."""
    return {**environ, "OS_CLOUD": environ.get("OS_CLOUD") or "cloud.invalid"}
