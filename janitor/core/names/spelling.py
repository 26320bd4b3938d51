"""One spelling for names that may be spelled in several ways: what people see as the same name is the same."""

import re
import unicodedata
from functools import lru_cache

# The characters with the property Default_Ignorable_Code_Point, which are invisible: DerivedCoreProperties.txt of
# Unicode 15.0, as unicodedata does not have it. Unassigned characters of these ranges have the property, too.
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
REPLACEMENT = "\ufffd"
SURROGATE = re.compile("[\ud800-\udfff]")
_IGNORABLE = re.compile(f"[{UNSEEN}]+")


def normal(name: str) -> str:
    """A name as names are compared: composed (NFC), without invisible characters and blanks around it."""
    return (name if name.isascii() else _composed_again(name)).strip()


def composed(text: str) -> str:
    """The text in Unicode's NFC, without invisible characters; half a surrogate pair becomes U+FFFD."""
    return text if text.isascii() else _composed(text)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", _IGNORABLE.sub("", SURROGATE.sub(REPLACEMENT, text)))


_composed_again = lru_cache(1024)(_composed)  # each policy needs the name of the same image
