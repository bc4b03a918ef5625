"""The shell's lines: HBase's notation, and the same without quotes and commas.

::

    line   := command value*                     commas between values may be left out
    value  := text | number | true | false | list | map | pair
    text   := 'x' | "x" | bare word              \\xNN, \\n, \\t, \\\\ and \\' are escapes
    list   := [ value* ]
    map    := { pair* }
    pair   := NAME => value                      outside of a map: an option of the command
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import IllegalArgumentError

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<arrow>=>)
      | (?P<mark>[\[\]{},])
      | (?P<word>(?:[^\s\[\]{},'"=]|=(?!>))+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"0": b"\0"}
_CONSTANTS: Final = {"true": True, "false": False}
_NUMBER: Final = re.compile(r"-?\d+")


class Word(bytes):
    """A bare word, which may also be meant as a number or a name."""


@dataclass(slots=True)
class Line:
    """A command with its values; ``options`` are the pairs and maps among them, but for maps
    that are about something with a NAME."""

    command: str
    values: list[Any] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    maps: list[dict[str, Any]] = field(default_factory=list)


def parse(line: str) -> Line | None:
    """The command in a line; None if it is empty or a comment. Raises IllegalArgumentError."""
    text = line.strip().rstrip(";")
    if not text or text.startswith("#"):
        return None
    parser = _Parser(text)
    return parser.line()


def unescape(text: bytes) -> bytes:
    """Bytes of a text in which ``\\xNN`` stands for any byte, as the shell prints them."""

    def replaced(match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            return bytes((int(match[1], 16),))
        return _LETTERS.get(match[2], match[2])

    return _ESCAPE.sub(replaced, text)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def line(self) -> Line:
        kind, text = self._next()
        if kind != "word":
            raise IllegalArgumentError(f"a line begins with a command, not {text!r}")
        line = Line(text.lower())
        while self._at < len(self._tokens):
            if self._peek() == ("mark", ","):
                self._at += 1
                continue
            value = self._value()
            if isinstance(value, tuple):
                line.options[value[0]] = value[1]
            elif isinstance(value, dict):
                line.maps.append(value)
                if "NAME" not in value:
                    line.options.update(value)
            else:
                line.values.append(value)
        return line

    def _value(self) -> Any:
        kind, text = self._next()
        if kind == "mark" and text == "[":
            return self._until("]")
        if kind == "mark" and text == "{":
            pairs = self._until("}")
            if not all(isinstance(one, tuple) for one in pairs):
                raise IllegalArgumentError("between '{' and '}' stand pairs: NAME => value")
            return dict(pairs)
        if kind not in ("text", "word"):
            raise IllegalArgumentError(f"unexpected {text!r}")
        if self._peek() == ("arrow", "=>"):
            self._at += 1
            # A setting's key stands in quotes, and its case counts; an option's is a bare word.
            name = text.upper() if kind == "word" else unescape(text[1:-1].encode()).decode()
            return name, self._value()
        return _plain(kind, text)

    def _until(self, end: str) -> list[Any]:
        values = []
        while self._peek() != ("mark", end):
            if self._peek() == ("mark", ","):
                self._at += 1
                continue
            values.append(self._value())
        self._at += 1
        return values

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise IllegalArgumentError("the line ends where a value is due")
        token = self._tokens[self._at]
        self._at += 1
        return token


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise IllegalArgumentError(f"cannot read {text[at:].strip()[:40]!r}; is a quote open?")
        tokens.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
        at = match.end()
    return tokens


def _plain(kind: str, text: str) -> Any:
    if kind == "text":
        return unescape(text[1:-1].encode())
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return Word(unescape(text.encode()))


def number(name: str, value: Any) -> int:
    """A number written with or without quotes. Raises IllegalArgumentError."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise IllegalArgumentError(f"{name} takes a number, not {text!r}")
    return int(text)
