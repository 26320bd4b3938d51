"""The accounts of OpenStack targets: how to sign in to each, and what that gave."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import httpx

from janitor.config import EVERY_REGION, OpenStackTarget, Settings, Target
from janitor.documents import display
from janitor.errors import CloudError, ConfigurationError, Problem, UsageError
from janitor.redaction import FOUND_OUT, Redaction
from janitor.shutdown import Stop
from janitor.transport.http import Transport

if TYPE_CHECKING:
    from janitor.cloud.openstack.keystone import Grant, Identity

_EXTRA = "pip install 'image-janitor[openstack]'"


@dataclass(frozen=True, slots=True)
class Account:
    """An OpenStack target that is signed in to."""

    target: OpenStackTarget
    identity: "Identity"
    grant: "Grant"


def identify(settings: Settings, targets: Sequence[Target]) -> "dict[str, Identity | CloudError]":
    """How to sign in to the OpenStack targets, by name, or why that cannot be found out; nothing is sent.

    Raises ConfigurationError with every problem: a cloud that is not there, credentials that make no sense.
    """
    identities: dict[str, Identity | CloudError] = {}
    with collecting(settings) as attempt:
        for target in targets:
            if isinstance(target, OpenStackTarget):
                with attempt(target):
                    identities[target.name] = _identity(target)
    return identities


def _identity(target: OpenStackTarget) -> "Identity | CloudError":
    try:
        if target.login is not None:
            from janitor.cloud.openstack.keystone import spelled_out, with_images_at

            login = target.login
            spelled = spelled_out(login.identity, login.tenant_id, login.username, login.password)
            return with_images_at(spelled, target.image_endpoint)
        from janitor.cloud.openstack.clouds import configured
        from janitor.cloud.openstack.keystone import with_images_at
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        raise UsageError(f"api: openstack needs {package}, which is not installed: {_EXTRA}") from error
    try:
        region = None if target.region == EVERY_REGION else target.region
        identity = configured(target.cloud, region, target.http)
    except CloudError as error:
        return error
    FOUND_OUT.add(*identity.secrets)
    return with_images_at(identity, target.image_endpoint)


def signed_in(
    settings: Settings,
    targets: Sequence[Target],
    clock: Callable[[], datetime],
    stop: Stop | None,
    http_transport: httpx.BaseTransport | None = None,
) -> dict[str, Account | CloudError]:
    """What became of signing in to the OpenStack targets, all at once, by their names."""
    identities = identify(settings, targets)
    asked = [target for target in targets if isinstance(target, OpenStackTarget)]
    if not asked:
        return {}
    with ThreadPoolExecutor(settings.concurrency.targets, thread_name_prefix="sign-in") as pool:
        accounts = pool.map(
            lambda target: _account(target, identities[target.name], clock, stop, http_transport), asked
        )
        return {target.name: account for target, account in zip(asked, accounts, strict=True)}


def _account(
    target: OpenStackTarget,
    identity: "Identity | CloudError",
    clock: Callable[[], datetime],
    stop: Stop | None,
    http_transport: httpx.BaseTransport | None,
) -> Account | CloudError:
    if isinstance(identity, CloudError):
        return identity
    transport = Transport(target.http, Redaction(*identity.secrets), stop, http_transport, identity.verify)
    try:
        grant = transport.persist(identity.label, lambda seconds: _asked(clock(), identity.grant(seconds, transport)))
    except CloudError as error:
        return error
    finally:
        transport.close()
    if not grant.catalogue.image_places():
        return CloudError("the cloud's catalogue has no image service")
    return Account(target, identity, grant)


def _asked(at: datetime, grant: "Grant") -> "Grant":
    return replace(grant, asked_at=at)


@contextmanager
def collecting(settings: Settings) -> Iterator[Callable[[Target], AbstractContextManager[None]]]:
    """Gives what to try a target's part in: usage errors are collected, and raised as one in the end."""
    problems: list[Problem] = []

    @contextmanager
    def attempt(target: Target) -> Iterator[None]:
        try:
            yield
        except UsageError as error:
            key = f"targets[{settings.targets.index(target)}]"
            problems.append(Problem(display(settings.source), None, str(error), key))

    yield attempt
    if problems:
        raise ConfigurationError(problems)
