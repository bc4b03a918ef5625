"""Filters that look at rows: prefixes, comparisons, ends, pages, chance.

Source: the classes of the same names in org.apache.hadoop.hbase.filter.
"""

from __future__ import annotations

from binascii import crc32
from dataclasses import dataclass
from typing import ClassVar, Final

from ...errors import IllegalArgumentError
from ...operations import CompareOperator
from .comparators import Comparator, passes
from .evaluation import Cell, Circumstances, Evaluation, FilterKind, Hint, ReturnCode

_CHANCES: Final = 2**32


def increased(prefix: bytes) -> bytes:
    """The least bytes above all that begin with ``prefix``; empty if there are none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b""


@dataclass(frozen=True, slots=True)
class PrefixFilter(FilterKind):
    """Rows that begin with ``prefix``. It seeks the first one and ends behind the last."""

    prefix: bytes
    is_hinting: ClassVar[bool] = True

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Prefix(self.prefix, circumstances.downwards)


class _Prefix(Evaluation):
    def __init__(self, prefix: bytes, downwards: bool) -> None:
        self._prefix = prefix
        self._downwards = downwards
        self._first = increased(prefix) if downwards else prefix
        self._is_past = False
        self._is_outside = True
        self._is_ahead = False

    def reset(self) -> None:
        self._is_outside = True

    def filter_all_remaining(self) -> bool:
        return self._is_past

    def filter_row_key(self, row: bytes) -> bool:
        if self._is_past:
            return True
        here = row[: len(self._prefix)]
        self._is_outside = here != self._prefix
        self._is_ahead = self._is_outside and (here < self._prefix) != self._downwards
        self._is_past = self._is_outside and not self._is_ahead
        return self._is_past

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if self._is_ahead and self._first:
            return ReturnCode.SEEK_NEXT_USING_HINT
        return ReturnCode.NEXT_ROW if self._is_outside else ReturnCode.INCLUDE

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return Hint(self._first) if self._first else None

    def filter_row(self) -> bool:
        return self._is_outside


@dataclass(frozen=True, slots=True)
class RowFilter(FilterKind):
    """Rows for which ``row operator comparator`` holds."""

    operator: CompareOperator
    comparator: Comparator

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Row(self)


class _Row(Evaluation):
    def __init__(self, kind: RowFilter) -> None:
        self._passes = passes(kind.operator, kind.comparator)
        self._is_out = False

    def reset(self) -> None:
        self._is_out = False

    def filter_row_key(self, row: bytes) -> bool:
        if not self._passes(row):
            self._is_out = True
        return self._is_out

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return ReturnCode.NEXT_ROW if self._is_out else ReturnCode.INCLUDE

    def filter_row(self) -> bool:
        return self._is_out


@dataclass(frozen=True, slots=True)
class InclusiveStopFilter(FilterKind):
    """Ends the scan behind ``row``."""

    row: bytes

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _InclusiveStop(self.row, circumstances.downwards)


class _InclusiveStop(Evaluation):
    def __init__(self, row: bytes, downwards: bool) -> None:
        self._row = row
        self._downwards = downwards
        self._is_done = False

    def filter_all_remaining(self) -> bool:
        return self._is_done

    def filter_row_key(self, row: bytes) -> bool:
        if not self._is_done:
            self._is_done = row < self._row if self._downwards else row > self._row
        return self._is_done

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return ReturnCode.NEXT_ROW if self._is_done else ReturnCode.INCLUDE


@dataclass(frozen=True, slots=True)
class PageFilter(FilterKind):
    """Ends the scan after so many rows.

    A region knows nothing of the others, so each gives as many; raybase's client counts.
    """

    page_size: int

    def __post_init__(self) -> None:
        if self.page_size < 0:
            raise IllegalArgumentError(f"the size of a page is negative: {self.page_size}")

    @property
    def has_filter_row(self) -> bool:
        return True

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Page(self.page_size)


class _Page(Evaluation):
    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._rows = 0

    def filter_all_remaining(self) -> bool:
        return self._rows >= self._page_size

    def filter_row(self) -> bool:
        self._rows += 1
        return self._rows > self._page_size


@dataclass(frozen=True, slots=True)
class RandomRowFilter(FilterKind):
    """Every row with this chance: below 0 none, above 1 all.

    What a row gets follows from the row and the scan's seed alone.
    """

    chance: float

    @property
    def has_filter_row(self) -> bool:
        return True

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _RandomRow(self.chance, circumstances.seed)


class _RandomRow(Evaluation):
    def __init__(self, chance: float, seed: int) -> None:
        self._below = chance * _CHANCES
        self._seed = b"%d" % seed
        self._is_out = False

    def reset(self) -> None:
        self._is_out = False

    def filter_row_key(self, row: bytes) -> bool:
        # One pass leaves rows that differ in their last byte close together.
        drawn = crc32(b"%d" % crc32(row, crc32(self._seed)))
        self._is_out = not drawn < self._below
        return self._is_out

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return ReturnCode.NEXT_ROW if self._is_out else ReturnCode.INCLUDE

    def filter_row(self) -> bool:
        return self._is_out
