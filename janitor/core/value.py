"""The kind of value of which a run holds one or more for every image: as cheap as a tuple, and with names."""

from typing import Any, ClassVar, Self

from msgspec import Struct
from msgspec.structs import replace


class Value(Struct, frozen=True, gc=False):
    """A frozen value with named fields, equal to another of the same class with equal fields.

    A run makes hundreds of thousands of them: one takes a tenth of the time that a frozen dataclass takes. The garbage
    collector does not look at them, so what a field holds must never lead back to its value: texts, numbers, times, and
    other values, or tuples and mappings of these.
    """

    derived: ClassVar[frozenset[str]] = frozenset()
    """The fields that follow from others, and are set when a value is made."""

    def replace(self, **parts: Any) -> Self:
        """The same value with these fields changed. Raises TypeError for a field that the class does not have."""
        return replace(self, **parts)

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """The names of the fields, in their order, without those that follow from others."""
        return tuple(name for name in cls.__struct_fields__ if name not in cls.derived)
