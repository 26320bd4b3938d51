"""Which API a target uses, and what is wrong with targets although each of their keys is valid."""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Discriminator, Tag

from janitor.cloud.apis import APIS
from janitor.cloud.schema import TargetSchema
from janitor.config.expansion import Expanded
from janitor.core.survey.binding import Binding
from janitor.documents import Document, Fault
from janitor.documents.schema import nearest

_DEFAULT = next(iter(APIS))


def _keys_of(api: str) -> frozenset[str]:
    return frozenset(APIS[api].schema.model_fields)


def _own_keys_of(api: str) -> frozenset[str]:
    """The keys that only targets of one API have."""
    return _keys_of(api).difference(*(_keys_of(other) for other in APIS if other != api))


def _api_of(target: Mapping[str, object]) -> str:
    """The API of a target: the one that its `api` names or nearly names, or its keys suggest, or the default."""
    named = target.get("api")
    if named is None:
        told = (api for api in APIS if api != _DEFAULT and not _own_keys_of(api).isdisjoint(target))
        return next(told, _DEFAULT)
    return (nearest(named, APIS) if isinstance(named, str) else None) or _DEFAULT


def _schema_of(target: object) -> str:
    """The name of the schema by which a target is read."""
    return APIS[_api_of(target) if isinstance(target, dict) else _DEFAULT].schema.__name__


if TYPE_CHECKING:
    AnyTarget = TargetSchema
else:
    _SCHEMAS = [Annotated[api.schema, Tag(api.schema.__name__)] for api in APIS.values()]
    AnyTarget = Annotated[reduce(or_, _SCHEMAS), Discriminator(_schema_of)]


def targets_in(document: Document) -> Iterator[tuple[tuple[str, int], dict[str, object]]]:
    """The targets that hold keys at all, each with its place."""
    targets = document.data.get("targets") if isinstance(document.data, dict) else None
    for index, target in enumerate(targets if isinstance(targets, list) else ()):
        if isinstance(target, dict):
            yield ("targets", index), target


def misfits(expanded: Expanded, environ: Mapping[str, str]) -> Iterator[Fault]:
    """Contradictions between keys of a target: keys of another API, and credentials that are not one complete set."""
    for keys, target in targets_in(expanded.document):
        named = target.get("api")
        if not isinstance(named, str) or named not in APIS:
            continue
        for other in APIS:
            for key in (_keys_of(other) - _keys_of(named)).intersection(target):
                yield Fault((*keys, key), f"is a key of api: {other}, but this target has api: {named}")
        if not any(fault.keys[:-1] == keys for fault in expanded.document.faults):
            empty = {str(of[-1]): why for of, why in expanded.empty.items() if of[:-1] == keys}
            for fault in APIS[named].contradictions(target, empty, environ):
                yield Fault((*keys, *fault.keys), fault.message)


def twins(targets: Iterable[TargetSchema]) -> Iterator[Fault]:
    """The targets that are one account under two names, where that is known without signing in."""
    first: dict[Binding, str] = {}
    for index, target in enumerate(targets):
        account = target.account()
        other = target.name if account is None else first.setdefault(account, target.name)
        if other != target.name:
            same = f"has {target.told_apart_by} of target {other}"
            yield Fault(("targets", index), f"{same}: every image would be decided on twice; remove one of the two")
