"""Regular expressions as Java writes them, matched by RE2 in time linear in the text.

A pattern comes from a client, so it must not be able to hold the server: RE2 has no
backtracking. What it cannot do (back-references, look-around, possessive quantifiers, atomic
groups) is refused by name. The rest of Java's syntax is translated. Lines end with ``\\n`` for
MULTILINE, where Java knows more line ends. Source: java.util.regex.Pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2

from ...errors import IllegalArgumentError, UnsupportedOperationError
from .java_classes import (
    ALL,
    CharacterClass,
    class_of_escape,
    class_of_property,
    literal,
)

UNIX_LINES: Final = 1
CASE_INSENSITIVE: Final = 2
COMMENTS: Final = 4
MULTILINE: Final = 8
LITERAL: Final = 16
DOTALL: Final = 32
UNICODE_CASE: Final = 64
_KNOWN_FLAGS: Final = 127
PATTERN_CHARACTERS_MAX: Final = 4096
_DEPTH_MAX: Final = 100
_MEMORY_BYTES_MAX: Final = 2 * 1024 * 1024

_INLINE_FLAGS: Final = {
    "d": UNIX_LINES,
    "i": CASE_INSENSITIVE,
    "x": COMMENTS,
    "m": MULTILINE,
    "s": DOTALL,
    "u": UNICODE_CASE,
}
_REFUSED_GROUPS: Final = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<=": "look-behind",
    "(?<!": "look-behind",
    "(?>": "atomic groups",
}
_LINE_END: Final = r"(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])"
_ANCHORS: Final = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\z", "Z": _LINE_END + r"?\z"}
_CONTROLS: Final = {"t": 9, "n": 10, "r": 13, "f": 12, "a": 7, "e": 27}


@lru_cache(maxsize=64)
def compile_java(pattern: str, flags: int) -> Any:
    """An RE2 expression whose ``search`` takes UTF-8 bytes.

    Raises IllegalArgumentError for what is no pattern of Java's, or too large;
    UnsupportedOperationError for what RE2 cannot do.
    """
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise IllegalArgumentError(
            f"regular expression of {len(pattern)} characters; "
            f"the limit is {PATTERN_CHARACTERS_MAX}"
        )
    if flags & ~_KNOWN_FLAGS:
        raise UnsupportedOperationError(f"flags {flags & ~_KNOWN_FLAGS} of a regular expression")
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY_BYTES_MAX
    translated = _Translation(pattern, flags).result()
    try:
        return re2.compile(translated.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        raise IllegalArgumentError(f"regular expression {pattern!r}: {error}") from None


class _Translation:
    """One pass over a pattern of Java's, which writes one of RE2's."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._text = pattern
        self._at = 0
        self._flags = flags
        self._outer_flags: list[int] = []
        """Flags to go back to at the end of each group that is open."""
        self._out: list[str] = []

    def result(self) -> str:
        if self._flags & LITERAL:
            return "".join(map(self._literal, map(ord, self._text)))
        while self._at < len(self._text):
            self._step()
        if self._outer_flags:
            raise self._wrong("a group is not closed")
        return "".join(self._out)

    def _step(self) -> None:
        character = self._text[self._at]
        if character == "\\":
            self._escape()
        elif character == "[":
            self._out.append(self._class(0).written(self._folds))
        elif character == "(":
            self._open_group()
        elif character == ")":
            if not self._outer_flags:
                raise self._wrong("')' closes no group")
            self._flags = self._outer_flags.pop()
            self._take(")")
        elif character in "*+?{":
            self._quantifier()
        elif character in ".^$|":
            self._at += 1
            self._out.append(self._special(character))
        elif self._flags & COMMENTS and (character.isspace() or character == "#"):
            self._skip_comment()
        else:
            self._at += 1
            self._out.append(self._literal(ord(character)))

    @property
    def _folds(self) -> int:
        return self._flags & (CASE_INSENSITIVE | UNICODE_CASE)

    def _special(self, character: str) -> str:
        if character == ".":
            if self._flags & DOTALL:
                return "(?s:.)"
            return r"[^\n]" if self._flags & UNIX_LINES else r"[^\n\r\x{85}\x{2028}\x{2029}]"
        if character == "^":
            return "(?m:^)" if self._flags & MULTILINE else r"\A"
        if character == "$":
            if self._flags & MULTILINE:
                return "(?m:$)"
            return r"\n?\z" if self._flags & UNIX_LINES else _LINE_END + r"?\z"
        return character

    def _literal(self, point: int) -> str:
        return literal(point, self._folds)

    def _open_group(self) -> None:
        text, start = self._text, self._at
        for opening, what in _REFUSED_GROUPS.items():
            if text.startswith(opening, start):
                raise self._unsupported(what)
        if len(self._outer_flags) >= _DEPTH_MAX:
            raise self._wrong(f"groups are nested more than {_DEPTH_MAX} deep")
        if not text.startswith("(?", start):
            self._at += 1
        elif text.startswith("(?<", start):
            end = text.find(">", start)
            if end < 0 or not text[start + 3 : end].isalnum():
                raise self._wrong("a group's name does not end")
            self._at = end + 1
        else:
            self._inline_flags()
            return
        self._outer_flags.append(self._flags)
        self._out.append("(?:")

    def _inline_flags(self) -> None:
        """``(?i)`` until the end of the group around it, ``(?i:`` for a group of its own."""
        flags, on = self._flags, True
        at = self._at + 2
        while at < len(self._text) and self._text[at] not in ":)":
            character = self._text[at]
            if character == "-":
                on = False
            elif character in _INLINE_FLAGS:
                flag = _INLINE_FLAGS[character]
                flags = flags | flag if on else flags & ~flag
            else:
                raise self._unsupported(f"the group (?{character}")
            at += 1
        if at == len(self._text):
            raise self._wrong("a group is not closed")
        if self._text[at] == ":":
            self._outer_flags.append(self._flags)
            self._out.append("(?:")
        self._flags = flags
        self._at = at + 1

    def _quantifier(self) -> None:
        text, start = self._text, self._at
        end = start + 1
        if text[start] == "{":
            end = text.find("}", start) + 1
            low, comma, high = text[start + 1 : end - 1].partition(",")
            if not end or not low.isdecimal() or (comma and high and not high.isdecimal()):
                raise self._wrong("'{' begins no number of repetitions")
        if not self._out or self._out[-1] in ("(?:", "|"):
            raise self._wrong(f"{text[start]!r} repeats nothing")
        if text[end : end + 1] == "+":
            raise self._unsupported("possessive quantifiers")
        if text[end : end + 1] == "?":
            end += 1
        self._at = end
        self._out.append(text[start:end])

    def _skip_comment(self) -> None:
        if self._text[self._at] == "#":
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
        else:
            self._at += 1

    def _escape(self) -> None:
        character = self._text[self._at + 1 : self._at + 2]
        if character in "123456789k" and character:
            raise self._unsupported("back-references")
        if character == "Q":
            end = self._text.find("\\E", self._at)
            quoted = self._text[self._at + 2 : len(self._text) if end < 0 else end]
            self._out += [self._literal(ord(one)) for one in quoted]
            self._at = len(self._text) if end < 0 else end + 2
        elif character == "R":
            self._at += 2
            self._out.append(r"(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])")
        elif character in _ANCHORS and character:
            self._at += 2
            self._out.append(_ANCHORS[character])
        else:
            found = self._escaped()
            if isinstance(found, int):
                self._out.append(self._literal(found))
            else:
                self._out.append(found.written(self._folds))

    def _escaped(self) -> int | CharacterClass:
        """The character or class that a backslash begins, in a class or outside of one."""
        character = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if not character:
            raise self._wrong("it ends with a backslash")
        if character in "pP":
            return class_of_property(self._property(), negated=character == "P")
        known = class_of_escape(character)
        if known is not None:
            return known
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in "xu0c":
            return self._number(character)
        if character.isascii() and character.isalnum():
            raise self._unsupported(f"the escape \\{character}")
        return ord(character)

    def _property(self) -> str:
        if self._text[self._at : self._at + 1] != "{":
            self._at += 1
            return self._text[self._at - 1 : self._at]
        end = self._text.find("}", self._at)
        if end < 0:
            raise self._wrong("a property's name does not end")
        name = self._text[self._at + 1 : end]
        self._at = end + 1
        return name

    def _number(self, kind: str) -> int:
        """The character of ``\\xhh``, ``\\x{h...}``, ``\\uhhhh``, ``\\0ooo`` or ``\\cX``."""
        text, at = self._text, self._at
        if kind == "c":
            self._at += 1
            return ord(text[at]) ^ 64 if at < len(text) else 0
        if kind == "0":
            end = at
            while end < len(text) and end < at + 3 and text[end] in "01234567":
                end += 1
            end -= end - at == 3 and text[at] > "3"
            digits, base = text[at:end], 8
        elif kind == "x" and text[at : at + 1] == "{":
            end = text.find("}", at) + 1
            digits, base = text[at + 1 : end - 1], 16
        else:
            end = at + (2 if kind == "x" else 4)
            digits, base = text[at:end], 16
        self._at = end
        try:
            point = int(digits, base)
        except ValueError:
            raise self._wrong(f"\\{kind} is followed by no number") from None
        if point > ALL[1] or 0xD800 <= point < 0xE000:
            raise self._wrong(f"there is no character {point:#x}")
        return point

    def _class(self, depth: int) -> CharacterClass:
        """The class that begins here: ranges, unions, intersections, negation."""
        if depth > _DEPTH_MAX:
            raise self._wrong(f"classes are nested more than {_DEPTH_MAX} deep")
        self._at += 1
        negated = self._text.startswith("^", self._at)
        self._at += negated
        whole: CharacterClass | None = None
        part = CharacterClass()
        first = True
        while True:
            if self._at >= len(self._text):
                raise self._wrong("a class is not closed")
            character = self._text[self._at]
            if character == "]" and not first:
                self._at += 1
                break
            first = False
            if self._text.startswith("&&", self._at):
                self._at += 2
                whole = part if whole is None else whole.intersection(part)
                part = CharacterClass()
            elif character == "[":
                part = part.union(self._class(depth + 1))
            else:
                part = part.union(self._class_item())
        whole = part if whole is None else whole.intersection(part)
        return whole.negated() if negated else whole

    def _class_item(self) -> CharacterClass:
        low = self._class_character()
        text, at = self._text, self._at
        is_range = text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("]", "[", "")
        if isinstance(low, CharacterClass):
            return low
        if not is_range:
            return CharacterClass(((low, low),))
        self._at += 1
        high = self._class_character()
        if isinstance(high, CharacterClass) or high < low:
            raise self._wrong("a range of characters goes down")
        return CharacterClass(((low, high),))

    def _class_character(self) -> int | CharacterClass:
        if self._text[self._at] == "\\":
            return self._escaped()
        self._at += 1
        return ord(self._text[self._at - 1])

    def _take(self, written: str) -> None:
        self._at += 1
        self._out.append(written)

    def _wrong(self, reason: str) -> IllegalArgumentError:
        return IllegalArgumentError(
            f"regular expression {self._text!r}: {reason} (at character {self._at})"
        )

    def _unsupported(self, what: str) -> UnsupportedOperationError:
        return UnsupportedOperationError(
            f"regular expression {self._text!r}: {what} cannot be matched in bounded time and "
            f"are not supported (at character {self._at})"
        )
