"""Classes of characters in Java's regular expressions, as ranges of code points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...errors import UnsupportedOperationError

Range = tuple[int, int]

ALL: Final = (0, 0x10FFFF)
_LOWER: Final = (0x61, 0x7A)
_UPPER: Final = (0x41, 0x5A)
_DIGIT: Final = (0x30, 0x39)
_CASE: Final = 0x20
"""Between a small letter of ASCII and its capital."""
_UNICODE_CASE: Final = 64


@dataclass(frozen=True, slots=True)
class CharacterClass:
    """A set of characters: ranges, and Unicode properties that RE2 knows by name."""

    ranges: tuple[Range, ...] = ()
    properties: tuple[str, ...] = ()
    is_negated: bool = False
    """Only with properties, as ranges alone are turned round."""

    def union(self, other: CharacterClass) -> CharacterClass:
        if self == CharacterClass():
            return other
        if self.is_negated or other.is_negated:
            raise UnsupportedOperationError("a union with a negated class of Unicode properties")
        return CharacterClass(
            _merged(self.ranges + other.ranges), self.properties + other.properties
        )

    def intersection(self, other: CharacterClass) -> CharacterClass:
        if self.properties or other.properties:
            raise UnsupportedOperationError("an intersection with a class of Unicode properties")
        return CharacterClass(
            _turned_round(_turned_round(self.ranges) + _turned_round(other.ranges))
        )

    def negated(self) -> CharacterClass:
        if self.properties:
            return CharacterClass(self.ranges, self.properties, not self.is_negated)
        return CharacterClass(_turned_round(self.ranges))

    def written(self, folds: int) -> str:
        """As RE2 reads it. ``folds``: Java's flags for ignoring case."""
        if not self.ranges and not self.properties:
            return r"[^\x00-\x{10FFFF}]"
        if folds & _UNICODE_CASE and folds != _UNICODE_CASE:
            return f"(?i:{self._brackets(self.ranges)})"
        ranges = self.ranges
        if folds and folds != _UNICODE_CASE:
            ranges = _merged(ranges + _other_case(ranges))
        return self._brackets(ranges)

    def _brackets(self, ranges: tuple[Range, ...]) -> str:
        written = "".join(f"\\x{{{low:X}}}-\\x{{{high:X}}}" for low, high in ranges)
        return f"[{'^' if self.is_negated else ''}{written}{''.join(self.properties)}]"


def literal(point: int, folds: int) -> str:
    """One character, as RE2 reads it."""
    if folds and folds != _UNICODE_CASE and (folds & _UNICODE_CASE or _is_ascii_letter(point)):
        return CharacterClass(((point, point),)).written(folds)
    character = chr(point)
    if point < 0x80 and not character.isalnum():
        return f"\\x{{{point:X}}}"
    return character


def _is_ascii_letter(point: int) -> bool:
    return any(low <= point <= high for low, high in (_LOWER, _UPPER))


def _merged(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    out: list[Range] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return tuple(out)


def _turned_round(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """All characters outside of the ranges."""
    out: list[Range] = []
    next_point = ALL[0]
    for low, high in _merged(ranges):
        if low > next_point:
            out.append((next_point, low - 1))
        next_point = high + 1
    if next_point <= ALL[1]:
        out.append((next_point, ALL[1]))
    return tuple(out)


def _other_case(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """The letters of ASCII among the ranges, in the other case."""
    out: list[Range] = []
    for low, high in ranges:
        for (first, last), shift in ((_LOWER, -_CASE), (_UPPER, _CASE)):
            start, end = max(low, first), min(high, last)
            if start <= end:
                out.append((start + shift, end + shift))
    return tuple(out)


_SPACE: Final = CharacterClass(((9, 13), (32, 32)))
_SPACES: Final = (0x9, 0x20, 0xA0, 0x1680, 0x180E, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_HORIZONTAL: Final = CharacterClass(tuple((point, point) for point in _SPACES))
_VERTICAL: Final = CharacterClass(((10, 13), (0x85, 0x85), (0x2028, 0x2029)))
_WORD: Final = CharacterClass((_DIGIT, _UPPER, (0x5F, 0x5F), _LOWER))
_ESCAPES: Final = {
    "d": CharacterClass((_DIGIT,)),
    "s": _SPACE,
    "h": _HORIZONTAL,
    "v": _VERTICAL,
    "w": _WORD,
}
_PUNCTUATION: Final = ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E))
_POSIX: Final = {
    "Lower": CharacterClass((_LOWER,)),
    "Upper": CharacterClass((_UPPER,)),
    "ASCII": CharacterClass(((0, 0x7F),)),
    "Alpha": CharacterClass((_UPPER, _LOWER)),
    "Digit": CharacterClass((_DIGIT,)),
    "Alnum": CharacterClass((_DIGIT, _UPPER, _LOWER)),
    "Punct": CharacterClass(_PUNCTUATION),
    "Graph": CharacterClass(((0x21, 0x7E),)),
    "Print": CharacterClass(((0x20, 0x7E),)),
    "Blank": CharacterClass(((9, 9), (32, 32))),
    "Cntrl": CharacterClass(((0, 0x1F), (0x7F, 0x7F))),
    "XDigit": CharacterClass((_DIGIT, (0x41, 0x46), (0x61, 0x66))),
    "Space": _SPACE,
}


def class_of_escape(character: str) -> CharacterClass | None:
    """The class of ``\\d`` and its kin; None if the character means none."""
    found = _ESCAPES.get(character.lower())
    if found is None:
        return None
    return found if character.islower() else found.negated()


def class_of_property(name: str, *, negated: bool) -> CharacterClass:
    """The class of ``\\p{name}``. Raises UnsupportedOperationError for Java's own properties."""
    found = _POSIX.get(name)
    if found is not None:
        return found.negated() if negated else found
    kind, equals, value = name.partition("=")
    if equals and kind in ("script", "sc", "general_category", "gc"):
        name = value
    name = name.removeprefix("Is")
    if not name.isalpha() or name.startswith(("In", "java")) or kind.startswith("bl"):
        raise UnsupportedOperationError(f"the property {name!r} of a regular expression")
    return CharacterClass((), (f"\\{'P' if negated else 'p'}{{{name}}}",))
