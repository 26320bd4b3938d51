"""The accounts of targets: how to sign in to each, and what that gave."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from janitor.cloud.api import Account, Authentication, Surroundings
from janitor.cloud.apis import APIS
from janitor.cloud.target import Target
from janitor.config import Settings
from janitor.documents import display
from janitor.errors import CloudError, ConfigurationError, Problem, UsageError


def identify(settings: Settings, targets: Sequence[Target]) -> dict[str, Authentication]:
    """How to sign in to these targets, by their names; nothing is sent.

    Raises ConfigurationError with every problem: a cloud that does not exist, invalid credentials.
    """
    found: dict[str, Authentication] = {}
    with collecting(settings) as attempt:
        for target in targets:
            with attempt(target):
                found[target.name] = APIS[target.api].authenticate(target)
    return found


def signed_in(
    settings: Settings, targets: Sequence[Target], surroundings: Surroundings
) -> dict[str, Account | CloudError]:
    """The result of signing in to these targets, in parallel, by their names."""
    asked = identify(settings, targets)

    def account(authentication: Authentication) -> Account | CloudError:
        try:
            return authentication.sign_in(surroundings)
        except CloudError as error:
            return error

    with ThreadPoolExecutor(settings.concurrency.targets, thread_name_prefix="sign-in") as pool:
        return dict(zip(asked, pool.map(account, asked.values()), strict=True))


@contextmanager
def collecting(settings: Settings) -> Iterator[Callable[[Target], AbstractContextManager[None]]]:
    """Gives a context for each target's part: usage errors are collected, and raised as one at the end."""
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


def names_without_signing_in(settings: Settings) -> list[str] | None:
    """The names of all sites; None where a target is in every region, which only a catalogue lists."""
    if any(target.is_in_every_region for target in settings.targets):
        return None
    return [target.name for target in settings.targets]
