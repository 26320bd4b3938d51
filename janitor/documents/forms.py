"""What values look like, as regular expressions for editors: the texts that the readers beside them accept.

They are in the part of ECMA 262 that Python's `re` understands alike, and are matched against whole texts. Where a
reader accepts less than an expression can say, such as a day that is in no calendar, the expression accepts more,
never less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

Json = dict[str, Any]

# Python strips and skips what ECMA 262 calls blank, but for U+FEFF.
_SIGN = r"[\S\ufeff]"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_BREAK = rf"{_CONTROL}\u2028\u2029"
_ANY = r"[\s\S]"

ANYTHING = f"{_ANY}+"
TEXT = rf"{_ANY}*{_SIGN}{_ANY}*"
LINE = rf"(?={_ANY}*{_SIGN})[^{_CONTROL}]*"
LABEL = rf"(?={_SIGN})[^{_BREAK}]*(?:[^\s{_CONTROL}]|\ufeff)"
APP_TOKEN = rf"xapp-[^{_CONTROL}]*"
CHANNEL = rf"#?(?:[^\s#@<>&|,{_CONTROL}]|\ufeff){{1,80}}"


def any_case(word: str) -> str:
    """A word in small letters and capitals."""
    return "".join(f"[{sign.upper()}{sign}]" if sign.isalpha() else sign for sign in word)


def whole_number(low: int, high: int | None = None) -> str:
    """A number from `low` (0 or 1, without a `high`) to `high`, of twelve digits at most."""
    none = "-?0{1,12}|" if low <= 0 else ""
    numbers = ["[1-9][0-9]*"] if high is None else _between(max(low, 1), high)
    return rf"{none}(?=[0-9]{{1,12}}$)0*(?:{'|'.join(numbers)})"


def _between(low: int, high: int) -> Iterable[str]:
    """The numbers from `low` to `high`, in expressions for numbers of the same length with the same beginning."""
    while low <= high:
        step = 1
        while low % (step * 10) == 0 and low + step * 10 - 1 <= high:
            step *= 10
        last = low
        while (last // step) % 10 < 9 and last + 2 * step - 1 <= high:
            last += step
        more = len(str(step)) - 1
        yield _digits(low // step, last // step) + ("[0-9]" if more else "") + (f"{{{more}}}" if more > 1 else "")
        low = last + step


def _digits(first: int, last: int) -> str:
    """Numbers that differ in their last digit."""
    if first == last:
        return str(first)
    return f"{str(first)[:-1]}[{first % 10}-{last % 10}]"


_BETWEEN_UNITS = "[0-9]{1,6}"
_YEAR = "(?!0000)[0-9]{4}"
_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    rf"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"

DATE = rf"{_DAY}(?:[T ]{_CLOCK}(?::[0-5][0-9])?(?:Z|[+-]{_CLOCK}))?"
BEGINNING = rf"{_DAY}(?:[T ]{_CLOCK}(?::[0-5][0-9](?:[.][0-9]{{1,6}})?)?(?:Z|[+-]{_CLOCK}))?"
SIZE = "[0-9]+(?:[.][0-9]+)? ?(?:[KMGT]i?B|B)"
PERCENT = "(?:100(?:[.]0+|[.]0{14}[0-9]+)?|0?[0-9]{1,2}(?:[.][0-9]+)?) ?%"
PRICE = "[0-9]{1,12}(?:[.][0-9]{1,12})?|-0{1,12}(?:[.]0{1,12})?"
ZONE = "[A-Za-z][A-Za-z0-9_+/.-]*"


def duration(units: Iterable[str], *, zero: bool = False) -> str:
    """A duration in these units, the largest first; with `zero`, also none."""
    parts = "".join(f"(?:{_BETWEEN_UNITS}{unit})?" for unit in units)
    return f"(?=[0-9]){parts}|0m" if zero else f"(?=[0-9a-z]*[1-9]){parts}"


_UNITS = ("y", "mo", "w", "d", "h", "min")
DURATION = duration(_UNITS)
DURATION_OR_NONE = duration(_UNITS, zero=True)
SPAN = duration((*_UNITS, "s"))
SPAN_OR_NONE = duration((*_UNITS, "s"), zero=True)
MOMENT = f"{SPAN_OR_NONE}|{BEGINNING}"
TIMEOUT = duration(("w", "d", "h", "m(?:in)?", "s"))

# A set of a glob is one sign, in which nothing has another meaning.
_SIGN_OF_GLOB = rf"(?:\[(?:!{_ANY}|[^!^])[^\]]*\]|[^\[\\])"
_SIGN_OF_PATHS = r"(?:\[(?:![^/]|[^!^/])[^\]/]*\]|[^\[\\])"


def _glob(sign: str) -> str:
    braces = rf"(?!{sign}*\{{{sign}*,{sign}*\}})"
    counted = rf"(?!{sign}*\{{[^{{}},/]*[.][.][^{{}},/]*\}})"
    extended = rf"(?!{sign}*(?:!\({sign}*\)|[?*+@]\({sign}*\|{sign}*\)))"
    return f"{braces}{counted}{extended}{sign}+"


EXPRESSION = rf"/{_ANY}+/"
PATTERN = rf"{EXPRESSION}|(?={_ANY}*{_SIGN})(?!/{_ANY}+/[gimsuvxy]{{1,8}}$){_glob(_SIGN_OF_GLOB)}"
PATHS = rf"(?={_ANY}*{_SIGN})(?=[^{_CONTROL}]*$){_glob(_SIGN_OF_PATHS)}"
WHOLE_NAME = rf"(?!/{_ANY}+/$)(?=[^*]*$){LABEL}"
FAMILY = rf"policy|property:{TEXT}|name:/{_ANY}+/"
OWNER = rf"(?={LABEL}$)(?:/{_ANY}+/|[^*?\[\]]*\*[^*?\[\]]*)"

_PORT = f":(?:0*(?:{'|'.join(_between(1, 65535))}))?"
_HOST = rf"(?:\[[^\s\[\]/?#@{_CONTROL}]+\]|[^\s\[\]/?#@:{_CONTROL}]+)"
_USER = rf"(?:[^\s/?#{_CONTROL}]*@)?"
_HTTP = any_case("http")
_REST = rf"[^\s{_CONTROL}]*"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LOOPBACK = (
    rf"(?:{any_case('localhost')}|127(?:[.]{_OCTET}){{3}}"
    rf"|\[(?:[0:.]*[:.]0*1|[0:]*:{any_case('ffff')}:(?:127[0-9.]+|7[Ff][0-9A-Fa-f]*:[0-9A-Fa-f]+))(?:%[^\]]*)?\])"
)

URL = rf"{_HTTP}[Ss]?://{_USER}{_HOST}(?:{_PORT})?(?:[/?#]{_REST})?"
BASE_URL = rf"{_HTTP}[Ss]?://{_HOST}(?:{_PORT})?(?:/[^\s?#{_CONTROL}]*)?"
PRIVATE_URL = rf"(?:{_HTTP}[Ss]://{_USER}{_HOST}|{_HTTP}://{_USER}{_LOOPBACK})(?:{_PORT})?(?:[/?#]{_REST})?"
IDENTITY_URL = rf"(?!{_ANY}*/v3/*$){BASE_URL}"
PROXY = (
    rf"(?: *(?:{_HTTP}[Ss]?|{any_case('socks')}5[Hh]?)://|(?!{_ANY}*://))(?:[^/?#{_CONTROL}]*@)?{_HOST}(?:{_PORT})?"
    rf"(?:[/?#][^{_CONTROL}]*)?"
)
DATABASE_URL = rf"postgres(?:ql)?://{_REST}"

DOMAIN = "(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
PERSON = (
    "[UW][A-Z0-9]{2,20}|(?=[^@]{1,64}@)(?=[!-~]{1,254}$)"
    rf"[A-Za-z0-9_+'%-]+(?:[.][A-Za-z0-9_+'%-]+)*@{DOMAIN}"
)


def schedule(fields: Iterable[tuple[int, int, Iterable[str]]]) -> str:
    """Fields of a crontab, each with its lowest and highest number and the names for its numbers."""
    written = r"[ \t]+".join(_field(*field) for field in fields)
    return rf"\s*{written}\s*"


def _field(low: int, high: int, names: Iterable[str]) -> str:
    numbers = ("0", *_between(1, high)) if low == 0 else _between(low, high)
    one = f"(?:0*(?:{'|'.join(numbers)}){''.join(f'|{any_case(name)}' for name in names)})"
    step = "/0*[1-9][0-9]*"
    term = rf"(?:\*(?:{step})?|{one}(?:-{one}(?:{step})?)?)"
    return f"{term}(?:,{term})*"


def text_form(form: str, wanted: str = "", examples: Iterable[str] = ()) -> Json:
    """The JSON Schema of a text of that form; editors show `wanted` where the text has another."""
    schema: Json = {"type": "string", "pattern": f"^(?:{form})$"}
    if wanted:
        schema["patternErrorMessage"] = wanted
    if examples:
        schema["examples"] = list(examples)
    return schema


with_schema = WithJsonSchema


def written(form: str, wanted: str = "", examples: Iterable[str] = ()) -> WithJsonSchema:
    """Says that a text, which other validators check, has that form."""
    return WithJsonSchema(text_form(form, wanted, examples))


def whole(low: int, high: int | None = None) -> WithJsonSchema:
    """Says that a value is a number within these bounds, perhaps as text."""
    bounds = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    return WithJsonSchema({"anyOf": [{"type": "integer", **bounds}, text_form(whole_number(low, high))]})


@dataclass(frozen=True)
class Or:
    """Says that a validator also takes what this JSON Schema says."""

    form: Json = field(hash=False)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        """What is taken."""
        return {"anyOf": [self.form, handler(core)]}


@dataclass(frozen=True, eq=False)
class Described(BeforeValidator):
    """A validator that knows the JSON Schema of what it accepts."""

    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> Json:
        """The schema, whatever the value becomes."""
        return dict(self.schema)
