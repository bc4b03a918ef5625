"""Comparators: how a filter compares a stored part of a cell with what it was given.

Source: the subclasses of ByteArrayComparable.java.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from ...errors import IllegalArgumentError, UnsupportedOperationError
from ...operations import CompareOperator
from .java_regex import DOTALL, compile_java

CHARSETS: Final = ("UTF-8", "ISO-8859-1", "US-ASCII")
_DECIMAL_BYTES_MAX: Final = 1024
"""Of the digits of a BigDecimal: numbers of clients must not cost the server its time."""


class Comparator(ABC):
    """Base of all comparators; immutable."""

    @abstractmethod
    def compare(self, stored: bytes) -> int:
        """Negative if the given value comes before the stored one, 0 if they match.

        Raises IllegalArgumentError if the stored bytes are none of its kind of values.
        """


class BitwiseOp(Enum):
    """How BitComparator combines bits; values are HBase's."""

    AND = 1
    OR = 2
    XOR = 3


def _order(given: Any, stored: Any) -> int:
    return int(given > stored) - int(given < stored)


@dataclass(frozen=True, slots=True)
class BinaryComparator(Comparator):
    """By the order of bytes."""

    value: bytes

    def compare(self, stored: bytes) -> int:
        return _order(self.value, stored)


@dataclass(frozen=True, slots=True)
class BinaryPrefixComparator(Comparator):
    """As BinaryComparator, with no more of the stored bytes than the value has."""

    value: bytes

    def compare(self, stored: bytes) -> int:
        return _order(self.value, stored[: len(self.value)])


@dataclass(frozen=True, slots=True)
class BinaryComponentComparator(Comparator):
    """As BinaryComparator, with as many stored bytes from ``offset`` as the value has."""

    value: bytes
    offset: int

    def __post_init__(self) -> None:
        if self.offset < 0:
            raise IllegalArgumentError(f"offset {self.offset} is negative")

    def compare(self, stored: bytes) -> int:
        return _order(self.value, stored[self.offset : self.offset + len(self.value)])


@dataclass(frozen=True, slots=True)
class BitComparator(Comparator):
    """Matches if a bit is left of both values combined; they must be of equal length."""

    value: bytes
    operator: BitwiseOp

    def compare(self, stored: bytes) -> int:
        if len(stored) != len(self.value):
            return 1
        left, right = int.from_bytes(self.value, "big"), int.from_bytes(stored, "big")
        if self.operator is BitwiseOp.AND:
            return int(not left & right)
        if self.operator is BitwiseOp.OR:
            return int(not left | right)
        return int(not left ^ right)


@dataclass(frozen=True, slots=True)
class LongComparator(Comparator):
    """Stored values are counters: 8 bytes, big-endian, signed."""

    value: int

    def __post_init__(self) -> None:
        if not -(2**63) <= self.value < 2**63:
            raise IllegalArgumentError(f"{self.value} does not fit 64 bits")

    def compare(self, stored: bytes) -> int:
        if len(stored) != 8:
            raise IllegalArgumentError(
                f"LongComparator compares values of 8 bytes; one of {len(stored)} was met"
            )
        return _order(self.value, int.from_bytes(stored, "big", signed=True))


@dataclass(frozen=True, slots=True)
class BigDecimalComparator(Comparator):
    """Stored values are decimals as Bytes.toBytes(BigDecimal) writes them.

    Args:
        unscaled: the digits as a number.
        scale: how many of them stand behind the point.

    """

    unscaled: int
    scale: int = 0

    def __post_init__(self) -> None:
        if not -(2**31) <= self.scale < 2**31:
            raise IllegalArgumentError(f"scale {self.scale} does not fit 32 bits")
        if self.unscaled.bit_length() >= 8 * _DECIMAL_BYTES_MAX:
            raise IllegalArgumentError(f"a decimal has {_DECIMAL_BYTES_MAX} bytes at most")

    @classmethod
    def from_bytes(cls, value: bytes) -> BigDecimalComparator:
        """Of a decimal's bytes: scale (i32), then the digits as a signed number."""
        if not 4 < len(value) <= 4 + _DECIMAL_BYTES_MAX:
            raise IllegalArgumentError(
                f"{len(value)} bytes are no decimal; it has 5 to {4 + _DECIMAL_BYTES_MAX}"
            )
        scale = int.from_bytes(value[:4], "big", signed=True)
        return cls(int.from_bytes(value[4:], "big", signed=True), scale)

    def to_bytes(self) -> bytes:
        size = self.unscaled.bit_length() // 8 + 1
        return self.scale.to_bytes(4, "big", signed=True) + self.unscaled.to_bytes(
            size, "big", signed=True
        )

    def compare(self, stored: bytes) -> int:
        other = self.from_bytes(stored)
        left, right = self.unscaled, other.unscaled
        if (left > 0) != (right > 0) or (left < 0) != (right < 0):
            return _order(left, right)
        apart = other.scale - self.scale
        if abs(apart) > 4 * _DECIMAL_BYTES_MAX:  # more than any two numbers of so many bytes
            return (1 if left > 0 else -1) * _order(apart, 0) if left else 0
        return _order(left * 10 ** max(apart, 0), right * 10 ** max(-apart, 0))


@dataclass(frozen=True, slots=True)
class NullComparator(Comparator):
    """Matches no value there is."""

    def compare(self, stored: bytes) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class SubstringComparator(Comparator):
    """Matches text that holds this text, whatever their case."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.lower())

    def compare(self, stored: bytes) -> int:
        return int(self.text not in stored.decode("utf-8", "replace").lower())


@dataclass(frozen=True, slots=True)
class RegexStringComparator(Comparator):
    """Matches text that a regular expression of Java's finds itself in.

    Args:
        pattern: in Java's syntax.
        flags: java.util.regex.Pattern's.
        charset: of the stored bytes, one of CHARSETS; what is malformed reads as U+FFFD.

    """

    pattern: str
    flags: int = DOTALL
    charset: str = "UTF-8"
    _search: Callable[[bytes], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.charset.upper() not in CHARSETS:
            raise UnsupportedOperationError(
                f"charset {self.charset!r} of a regular expression; "
                f"supported are {', '.join(CHARSETS)}"
            )
        object.__setattr__(self, "_search", compile_java(self.pattern, self.flags).search)

    def __reduce__(self) -> tuple[type[RegexStringComparator], tuple[str, int, str]]:
        return type(self), (self.pattern, self.flags, self.charset)

    def compare(self, stored: bytes) -> int:
        if not stored.isascii():
            stored = stored.decode(self.charset, "replace").encode()
        return int(self._search(stored) is None)


def passes(operator: CompareOperator, comparator: Comparator) -> Callable[[bytes], bool]:
    """The test a stored value must pass: ``stored operator given``.

    That is the other way round than in ``operations.Condition``, as it is in HBase.
    """
    if isinstance(comparator, BinaryComparator):
        return _passes_binary(operator, comparator.value)
    compare = comparator.compare
    tests: dict[CompareOperator, Callable[[bytes], bool]] = {
        CompareOperator.LESS: lambda stored: compare(stored) > 0,
        CompareOperator.LESS_OR_EQUAL: lambda stored: compare(stored) >= 0,
        CompareOperator.EQUAL: lambda stored: compare(stored) == 0,
        CompareOperator.NOT_EQUAL: lambda stored: compare(stored) != 0,
        CompareOperator.GREATER_OR_EQUAL: lambda stored: compare(stored) <= 0,
        CompareOperator.GREATER: lambda stored: compare(stored) < 0,
    }
    return tests[operator]


def _passes_binary(operator: CompareOperator, given: bytes) -> Callable[[bytes], bool]:
    """The same, by methods of bytes alone; those of ``given`` have it on the left side."""
    tests: dict[CompareOperator, Callable[[bytes], bool]] = {
        CompareOperator.LESS: given.__gt__,
        CompareOperator.LESS_OR_EQUAL: given.__ge__,
        CompareOperator.EQUAL: given.__eq__,
        CompareOperator.NOT_EQUAL: given.__ne__,
        CompareOperator.GREATER_OR_EQUAL: given.__le__,
        CompareOperator.GREATER: given.__lt__,
    }
    return tests[operator]
