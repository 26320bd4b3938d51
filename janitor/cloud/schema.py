"""The keys that every target has in YAML, whatever its API, and how requests are made."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator

from janitor.cloud.target import Target
from janitor.core.survey.binding import Binding
from janitor.core.units import parse_timeout
from janitor.documents import forms
from janitor.documents.forms import whole, with_schema, written
from janitor.documents.kinds import AtLeastOne, Secret, Text, Whole
from janitor.documents.schema import Schema, one_of, read_as, word_of
from janitor.transport import HttpOptions


def _seconds(text: str) -> timedelta:
    duration = parse_timeout(text)
    if not duration:
        raise ValueError(f'"{text}" must be greater than zero')
    return duration


def _page_size(value: int) -> int:
    if not 2 <= value <= 10_000:
        raise ValueError(
            "must be from 2 to 10000: where a page begins with the last image of the one before, "
            "pages of one would make no progress"
        )
    return value


def _parallel_pages(value: int) -> int:
    if not 1 <= value <= 16:
        raise ValueError("must be from 1 to 16: write 1 to ask for one page after the other")
    return value


def _listed(value: object) -> object:
    return ",".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


def _api(value: object) -> object:
    from janitor.cloud.apis import APIS  # which imports the schemas of all of them

    return one_of(APIS, "an API known here")(value)


ApiWord = BeforeValidator(_api)
"""Accepts the name of an API and nothing else."""

Seconds = Annotated[timedelta, read_as(_seconds, "write a duration with its unit, like 30s or 2m", forms.TIMEOUT)]
Imageless = Annotated[Literal["none"], word_of(("none",), "known here")]
"""Says that servers which leave out the key `image` have no image."""


_LISTED = {
    "type": "array",
    "items": forms.text_form(forms.ANYTHING),
    "minItems": 1,
    # Blanks beside other words count for nothing.
    "if": {"maxItems": 1},
    "then": {"items": forms.text_form(forms.TEXT)},
}
_NO_PROXY = with_schema({"anyOf": [forms.text_form(forms.TEXT), _LISTED]})


class HttpSchema(Schema):
    """How patient the requests are, and by which proxy they go; what is not given is inherited."""

    timeout: Seconds | None = None
    attempts: AtLeastOne | None = None
    give_up_after: Seconds | None = None
    page_size: Annotated[Whole, AfterValidator(_page_size), whole(2, 10_000)] | None = None
    parallel_pages: Annotated[Whole, AfterValidator(_parallel_pages), whole(1, 16)] | None = None
    proxy: Annotated[Secret, written(forms.PROXY)] | None = None
    no_proxy: Annotated[Text, BeforeValidator(_listed), _NO_PROXY] | None = None
    ca_file: Text | None = None


class TargetSchema(Schema):
    """One target as written.

    `name`, `api` and `http` are in the schema of each API, which defines their order in messages.

    `told_apart_by` says in words what `account` depends on. The `_file` keys of secrets are read before the check.
    """

    told_apart_by: ClassVar[str] = ""

    if TYPE_CHECKING:
        name: str
        http: HttpSchema

    @abstractmethod
    def target(self, http: HttpOptions, environ: Mapping[str, str]) -> Target:
        """The target, whose requests are made as `http` says; `environ` may give values that the file does not."""

    def account(self) -> Binding | None:
        """The account that it reaches, where that is known without signing in."""
        return None
