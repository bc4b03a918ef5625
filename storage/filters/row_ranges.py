"""Filters that select rows by ranges or patterns, and seek from one match to the next.

Source: MultiRowRangeFilter.java, FuzzyRowFilter.java.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from ...errors import IllegalArgumentError
from .evaluation import Cell, Circumstances, Evaluation, FilterKind, Hint, ReturnCode
from .rows import increased

FIXED: Final = 0
ANY: Final = 1
_INTERNAL_FIXED: Final = 0xFF


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows from ``start`` to ``stop``; empty bounds are open."""

    start: bytes = b""
    include_start: bool = True
    stop: bytes = b""
    include_stop: bool = False

    def __post_init__(self) -> None:
        if not self.start or not self.stop or self.start < self.stop:
            return
        if self.start > self.stop or not self.include_stop:
            raise IllegalArgumentError(
                f"a range of rows from {self.start!r} to {self.stop!r} holds none"
            )

    def __contains__(self, row: bytes) -> bool:
        after_start = row > self.start or (self.include_start and row == self.start)
        return after_start and not self.ends_before(row)

    def ends_before(self, row: bytes) -> bool:
        """Whether all rows of the range are below this one."""
        if not self.stop:
            return False
        return row > self.stop or (row == self.stop and not self.include_stop)


def merged(ranges: Iterable[RowRange]) -> tuple[RowRange, ...]:
    """The ranges in order, with those that overlap or touch made one."""
    out: list[RowRange] = []
    for one in sorted(ranges, key=lambda one: (one.start, not one.include_start)):
        last = out[-1] if out else None
        if last is None or (
            last.ends_before(one.start) and not (last.stop == one.start and one.include_start)
        ):
            out.append(one)
        elif last.stop and (
            not one.stop or (one.stop, one.include_stop) > (last.stop, last.include_stop)
        ):
            out[-1] = RowRange(last.start, last.include_start, one.stop, one.include_stop)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class MultiRowRangeFilter(FilterKind):
    """Rows of any of the ranges; those between them are not read."""

    ranges: tuple[RowRange, ...]
    is_hinting: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.ranges:
            raise IllegalArgumentError("MultiRowRangeFilter needs a range of rows")
        object.__setattr__(self, "ranges", merged(self.ranges))

    @classmethod
    def of_prefixes(cls, prefixes: Iterable[bytes]) -> MultiRowRangeFilter:
        """Rows that begin with any of these."""
        return cls(tuple(RowRange(one, True, increased(one)) for one in prefixes))

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _RowRanges(self.ranges, circumstances.downwards)


class _RowRanges(Evaluation):
    def __init__(self, ranges: tuple[RowRange, ...], downwards: bool) -> None:
        self._ranges = ranges
        self._starts = [one.start for one in ranges]
        self._stops = [one.stop for one in ranges if one.stop]
        self._downwards = downwards
        self._next: bytes | None = None
        """Where the next range begins, if the row at hand is in none."""
        self._code = ReturnCode.INCLUDE
        self._is_done = False

    def filter_all_remaining(self) -> bool:
        return self._is_done

    def filter_row_key(self, row: bytes) -> bool:
        if self._is_done:
            return True
        ranges = self._ranges
        index = bisect_right(self._starts, row) - 1
        if index >= 0 and row in ranges[index]:
            self._code = ReturnCode.INCLUDE
            return False
        self._next = self._range_before(row) if self._downwards else self._range_after(row)
        self._is_done = self._next is None
        # The row itself may be where a range begins that does not include it.
        is_reached = self._is_done or self._next == row
        self._code = ReturnCode.NEXT_ROW if is_reached else ReturnCode.SEEK_NEXT_USING_HINT
        return False

    def _range_after(self, row: bytes) -> bytes | None:
        index = bisect_left(self._starts, row)
        return self._starts[index] if index < len(self._starts) else None

    def _range_before(self, row: bytes) -> bytes | None:
        index = bisect_right(self._stops, row) - 1
        return self._stops[index] if index >= 0 else None

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return self._code

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return None if self._next is None else Hint(self._next)


@dataclass(frozen=True, slots=True)
class FuzzyRowFilter(FilterKind):
    """Rows that match any of several patterns, from which it seeks to the next that can.

    A pattern is (bytes, mask): where the mask is 0 the row must have the byte, where it is 1
    any will do. A row is compared as far as both reach, so it may be longer, or shorter. Masks
    as HBase's servers hold them (-1: fixed; 0 or 2: any) are understood as well.
    """

    patterns: tuple[tuple[bytes, bytes], ...]
    is_hinting: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for key, mask in self.patterns:
            if len(key) != len(mask):
                raise IllegalArgumentError(
                    f"a pattern of {len(key)} bytes has a mask of {len(mask)}"
                )
        cleaned = tuple(_cleaned(key, mask) for key, mask in self.patterns)
        object.__setattr__(self, "patterns", cleaned)

    @property
    def weight(self) -> int:
        return 1 + len(self.patterns)

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _FuzzyRow(self.patterns, circumstances.downwards)


def _cleaned(key: bytes, mask: bytes) -> tuple[bytes, bytes]:
    """The pattern with a mask of 0 and 1, and no byte where any will do."""
    if mask.strip(b"\0\1"):
        fixed = [byte == _INTERNAL_FIXED for byte in mask]
    else:
        fixed = [byte == FIXED for byte in mask]
    return (
        bytes(byte if held else 0 for byte, held in zip(key, fixed, strict=True)),
        bytes(FIXED if held else ANY for held in fixed),
    )


class _Pattern:
    def __init__(self, key: bytes, mask: bytes) -> None:
        bits = bytes(0xFF if one == FIXED else 0 for one in mask)
        self._length = len(key)
        self._key = int.from_bytes(key, "big")
        self._bits = int.from_bytes(bits, "big")
        self.key = key
        self.mask = mask

    def matches(self, row: bytes) -> bool:
        short = 8 * max(self._length - len(row), 0)
        value = int.from_bytes(row[: self._length], "big")
        return value & (self._bits >> short) == self._key >> short

    def next_row(self, row: bytes) -> bytes:
        """The least row above this one, which does not match, that can match; empty: none.

        No longer than needed: rows shorter than the pattern can match, too.
        """
        at = self._mismatch(row)
        if row[at] < self.key[at]:
            return row[:at] + self.key[at : at + 1]
        for index in range(at - 1, -1, -1):
            if self.mask[index] == ANY and row[index] < 0xFF:
                return row[:index] + bytes([row[index] + 1])
        return b""

    def previous_row(self, row: bytes) -> bytes:
        """A row at or below this one, between which and this one none matches; empty: none."""
        at = self._mismatch(row)
        if row[at] < self.key[at]:
            return row[:at]
        return row[:at] + bytes([self.key[at] + 1])

    def _mismatch(self, row: bytes) -> int:
        return next(
            index
            for index, (byte, wanted, kind) in enumerate(
                zip(row, self.key, self.mask, strict=False)
            )
            if kind == FIXED and byte != wanted
        )


class _FuzzyRow(Evaluation):
    def __init__(self, patterns: tuple[tuple[bytes, bytes], ...], downwards: bool) -> None:
        self._patterns = [_Pattern(key, mask) for key, mask in patterns]
        self._downwards = downwards
        self._row: bytes | None = None
        self._is_out = False
        self._next: bytes | None = None
        self._is_done = False

    def reset(self) -> None:
        self._is_out = False

    def filter_all_remaining(self) -> bool:
        return self._is_done

    def filter_cell(self, cell: Cell) -> ReturnCode:
        row = cell.row
        if row != self._row:
            self._enter(row)
        if self._next is None:
            return ReturnCode.INCLUDE
        self._is_out = True
        return ReturnCode.NEXT_ROW if self._next == row else ReturnCode.SEEK_NEXT_USING_HINT

    def _enter(self, row: bytes) -> None:
        self._row = row
        self._next = None
        if any(pattern.matches(row) for pattern in self._patterns):
            return
        found = [
            one.previous_row(row) if self._downwards else one.next_row(row)
            for one in self._patterns
        ]
        candidates = [one for one in found if one]
        self._is_done = not candidates
        if candidates:
            self._next = max(candidates) if self._downwards else min(candidates)
        else:
            self._next = row

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return None if self._next is None else Hint(self._next)

    def filter_row(self) -> bool:
        return self._is_out
