"""What is wrong between the keys of a configuration that may each be right."""

from collections.abc import Iterable, Iterator, Mapping

from janitor.config.expansion import Expanded
from janitor.config.schema import APIS, TargetSchema, ToastSchema, keys_of_api
from janitor.core.survey.binding import Binding, appkey_binding
from janitor.documents import Document, Fault

_SPELLED_OUT = ("identity", "tenant_id", "username", "password")
_CREDENTIALS = ("cloud", *_SPELLED_OUT)
_NO_CREDENTIALS = (
    "has no credentials: name a cloud of clouds.yaml by cloud, or give identity, tenant_id, username and password, "
    "or set the OS_* variables, of which neither OS_CLOUD nor OS_AUTH_URL is set"
)


def contradictions(document: Document) -> Iterator[Fault]:
    """What is wrong between keys that may each be right, told even where others are wrong."""
    if not isinstance(document.data, dict):
        return
    first: dict[str, int] = {}
    for keys, target in _targets(document):
        name = target.get("name")
        if isinstance(name, str) and first.setdefault(name, keys[1]) != keys[1]:
            yield Fault((*keys, "name"), f'"{name}" is already the name of targets[{first[name]}]')
    slack = document.data.get("slack")
    if isinstance(slack, dict) and {"webhook_url", "token"} <= slack.keys():
        yield Fault(("slack",), "has both a webhook_url and a token: give either one or the other")
    elif isinstance(slack, dict) and "token" in slack and "channel" not in slack:
        yield Fault(("slack", "channel"), 'is missing: a token needs a channel, in quotes like "#cloud-images"')


def _targets(document: Document) -> Iterator[tuple[tuple[str, int], dict[str, object]]]:
    """The targets that hold keys at all, each with its place."""
    targets = document.data.get("targets") if isinstance(document.data, dict) else None
    for index, target in enumerate(targets if isinstance(targets, list) else ()):
        if isinstance(target, dict):
            yield ("targets", index), target


def misfits(expanded: Expanded, environ: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong between the keys of a target: keys of the other API, and credentials that do not make one set."""
    for keys, target in _targets(expanded.document):
        api = target.get("api")
        for other in APIS:
            for key in keys_of_api(other).intersection(target) if other != api and api in APIS else ():
                yield Fault((*keys, key), f"is a key of api: {other}, and this target is of api: {api}")
        if api == "openstack" and not any(fault.keys[:-1] == keys for fault in expanded.document.faults):
            yield from _uncredited(keys, target, expanded, environ)


def twins(targets: Iterable[TargetSchema]) -> Iterator[Fault]:
    """The targets that are one account by two names: whether two of OpenStack are, only signing in tells."""
    first: dict[Binding, str] = {}
    for index, target in enumerate(targets):
        if isinstance(target, ToastSchema):
            other = first.setdefault(appkey_binding(target.endpoint, target.appkey), target.name)
            if other != target.name:
                same = f"has the endpoint and appkey of target {other}"
                yield Fault(("targets", index), f"{same}: images would be judged twice; keep one of the two")


def _uncredited(
    keys: tuple[str, int], target: dict[str, object], expanded: Expanded, environ: Mapping[str, str]
) -> Iterator[Fault]:
    given = [key for key in _SPELLED_OUT if key in target or f"{key}_file" in target]
    if "cloud" in target and given:
        spell = "spells" if len(given) == 1 else "spell"
        yield Fault(
            (*keys, "cloud"),
            f"takes the credentials from clouds.yaml, and {', '.join(given)} {spell} them out: keep one or the other",
        )
    elif given:
        for key in _SPELLED_OUT:
            if key not in given:
                yield Fault((*keys, key), f"is missing: {', '.join(_SPELLED_OUT)} belong together")
    elif "cloud" not in target and not environ.get("OS_CLOUD") and not environ.get("OS_AUTH_URL"):
        empty = [f"{key}: {expanded.empty[*keys, key]}" for key in _CREDENTIALS if (*keys, key) in expanded.empty]
        yield Fault(keys, f"{_NO_CREDENTIALS}{''.join(f'; {why}' for why in empty)}")
