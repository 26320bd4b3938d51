"""Says where a test has to give its target, or the owner of an image, as a default would hide what a run does."""

from collections.abc import Iterator, Sequence

from janitor.config.policy_tests.schema import PolicyTestSchema
from janitor.core.policy import Policy
from janitor.core.policy_tests.defaults import Default, hidden
from janitor.core.replay.inputs import Night
from janitor.documents import Fault


def missing_in(test: PolicyTestSchema, night: Night, policies: Sequence[Policy]) -> Iterator[Fault]:
    """What the test has to give: its target once, for the first image that depends on it, and owners of images."""
    places = {image.id: place for place, image in enumerate(night.images)}
    given = {image: frozenset(_given(test, place)) for image, place in places.items()}
    said = False
    for found in hidden(night, policies, given):
        place = places[found.image]
        if found.default is Default.OWNER:
            yield Fault(("images", place), _sentence(test, place, found.policy, "its owner: give `owner`, its project"))
        elif not said:
            said = True
            what = "the target: give `target`, with its name, at the top of the file"
            yield Fault(("images", place), _sentence(test, place, found.policy, what))


def _given(test: PolicyTestSchema, place: int) -> Iterator[Default]:
    image = test.images[place]
    if test.target is not None:
        yield Default.TARGET
    if image.owner is not None or "owner" in (image.unknown or ()):
        yield Default.OWNER


def _sentence(test: PolicyTestSchema, place: int, policy: str, what: str) -> str:
    image = test.images[place]
    return f"whether policy {policy} owns {image.name or image.id} depends on {what}"
