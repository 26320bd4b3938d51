"""What to do about a probe that failed: one line, as far as the kind of the failure tells it."""

from collections.abc import Sequence
from dataclasses import replace

from janitor.cloud.apis import APIS
from janitor.cloud.service import ProbeFailed
from janitor.cloud.target import Target
from janitor.config.expansion import unset_variables
from janitor.core.units import counted
from janitor.errors import (
    CloudError,
    ConfigurationError,
    DeliveryError,
    Denied,
    JanitorError,
    Refused,
    RetryLater,
    Unavailable,
)

_MAY_NOT, _ABSENT = 403, 404


def on(error: JanitorError, target: Target | None) -> str:
    """The next step of a person; empty where the message itself says it. `target` is the probed one, if it was one."""
    if isinstance(error, DeliveryError):
        return error.advice
    return _on_target(error, target) if isinstance(error, CloudError) and target is not None else ""


def _on_target(error: CloudError, target: Target) -> str:
    credentials = f"{APIS[target.api].credentials(target)} of target {target.name}"
    match error:
        case ProbeFailed():
            return "give the user the right to read these services, or say in `usage` of the target which are optional"
        case Denied():
            return f"check {credentials}"
        case Refused(code=code) if code == _MAY_NOT:
            return f"give the user a role in the project that may do this, or check {credentials}"
        case Refused(code=code) if code == _ABSENT:
            return f"check the address, and {credentials}"
        case RetryLater():
            return "wait for as long as it asks, then try again"
        case Unavailable():
            return "check the address, the network and the proxy (`http: {proxy: …}`) on this machine; -v logs each try"
        case _:
            return f"check {credentials}"


def with_unset_variables(error: ConfigurationError) -> ConfigurationError:
    """The same error, which also says how to set the variables that the configuration names and that are not set."""
    names = unset_variables(error.problems)
    if not names:
        return error
    *others, last = error.problems
    what = counted(len(names), "variable")
    help_ = f"next: set {what} ({', '.join(names)}) in the environment of the janitor, then `janitor check` again"
    return ConfigurationError([*others, replace(last, help="\n".join(filter(None, (last.help, help_))))])


def after(failing: Sequence[str], *, live: bool, new: bool) -> str:
    """What to do once all was checked and these subjects failed; empty where none did and runs are nothing new here."""
    if failing:
        return f"failed: {', '.join(failing)}; see above, then `janitor check{' --live' if live else ''}` again"
    if not new:
        return ""
    if not live:
        return "`janitor check --live` also signs in, reads images and their usage, and posts a test message to Slack"
    return "`janitor run --dry-run` shows what would be deleted, and why; it deletes nothing"
