"""Filters that look at families and qualifiers, and count columns.

Source: the classes of the same names in org.apache.hadoop.hbase.filter.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from ...errors import IllegalArgumentError
from ...operations import CompareOperator
from .comparators import Comparator, passes
from .evaluation import Cell, Circumstances, Evaluation, FilterKind, Hint, ReturnCode


def _column(cell: Cell, qualifier: bytes) -> Hint:
    """Where this column of the cell's family begins."""
    return Hint(cell.row, cell.family, qualifier)


@dataclass(frozen=True, slots=True)
class FamilyFilter(FilterKind):
    """Families for which ``family operator comparator`` holds."""

    operator: CompareOperator
    comparator: Comparator

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Family(self)


class _Family(Evaluation):
    def __init__(self, kind: FamilyFilter) -> None:
        self._passes = passes(kind.operator, kind.comparator)

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return ReturnCode.INCLUDE if self._passes(cell.family) else ReturnCode.NEXT_ROW


@dataclass(frozen=True, slots=True)
class QualifierFilter(FilterKind):
    """Columns for which ``qualifier operator comparator`` holds."""

    operator: CompareOperator
    comparator: Comparator

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Qualifier(self)


class _Qualifier(Evaluation):
    def __init__(self, kind: QualifierFilter) -> None:
        self._passes = passes(kind.operator, kind.comparator)

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return ReturnCode.INCLUDE if self._passes(cell.qualifier) else ReturnCode.SKIP


@dataclass(frozen=True, slots=True)
class ColumnPrefixFilter(FilterKind):
    """Columns whose qualifier begins with ``prefix``; it seeks the first one."""

    prefix: bytes
    is_hinting: ClassVar[bool] = True

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _ColumnPrefixes((self.prefix,))


@dataclass(frozen=True, slots=True)
class MultipleColumnPrefixFilter(FilterKind):
    """Columns whose qualifier begins with any of the prefixes; it seeks from one to the next.

    Without a prefix it lets everything pass, as in HBase.
    """

    prefixes: tuple[bytes, ...]
    is_hinting: ClassVar[bool] = True

    def __post_init__(self) -> None:
        distinct = tuple(sorted(set(self.prefixes)))
        if len(distinct) != len(self.prefixes):
            raise IllegalArgumentError("prefixes must be distinct")
        object.__setattr__(self, "prefixes", distinct)

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _ColumnPrefixes(self.prefixes)


class _ColumnPrefixes(Evaluation):
    def __init__(self, prefixes: tuple[bytes, ...]) -> None:
        # What begins with a prefix begins with each shorter one of it: these do all the work.
        self._prefixes: list[bytes] = []
        for prefix in prefixes:
            if not self._prefixes or not prefix.startswith(self._prefixes[-1]):
                self._prefixes.append(prefix)
        self._next = b""

    def filter_cell(self, cell: Cell) -> ReturnCode:
        prefixes = self._prefixes
        qualifier = cell.qualifier
        index = bisect_right(prefixes, qualifier)
        if not prefixes or (index and qualifier.startswith(prefixes[index - 1])):
            return ReturnCode.INCLUDE
        if index == len(prefixes):
            return ReturnCode.NEXT_ROW
        self._next = prefixes[index]
        return ReturnCode.SEEK_NEXT_USING_HINT

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return _column(cell, self._next)


@dataclass(frozen=True, slots=True)
class ColumnRangeFilter(FilterKind):
    """Columns with qualifiers in a range, to whose start it seeks; None: that end is open."""

    min_column: bytes | None = None
    include_min: bool = True
    max_column: bytes | None = None
    include_max: bool = False
    is_hinting: ClassVar[bool] = True

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _ColumnRange(self)


class _ColumnRange(Evaluation):
    def __init__(self, kind: ColumnRangeFilter) -> None:
        self._kind = kind
        self._min = kind.min_column or b""

    def filter_cell(self, cell: Cell) -> ReturnCode:
        kind = self._kind
        qualifier = cell.qualifier
        if qualifier < self._min:
            return ReturnCode.SEEK_NEXT_USING_HINT
        if not kind.include_min and qualifier == kind.min_column:
            return ReturnCode.NEXT_COL
        highest = kind.max_column
        if highest is None or qualifier < highest or (kind.include_max and qualifier == highest):
            return ReturnCode.INCLUDE
        return ReturnCode.NEXT_ROW

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return _column(cell, self._min)


@dataclass(frozen=True, slots=True)
class ColumnCountGetFilter(FilterKind):
    """The first columns of a row. It then ends the whole read, so it is for gets."""

    limit: int

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise IllegalArgumentError(f"the limit of columns is negative: {self.limit}")

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _ColumnCount(self.limit)


class _ColumnCount(Evaluation):
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    def reset(self) -> None:
        self._count = 0

    def filter_all_remaining(self) -> bool:
        return self._count > self._limit

    def filter_cell(self, cell: Cell) -> ReturnCode:
        self._count += 1
        is_out = self._count > self._limit
        return ReturnCode.NEXT_COL if is_out else ReturnCode.INCLUDE_AND_NEXT_COL


@dataclass(frozen=True, slots=True)
class ColumnPaginationFilter(FilterKind):
    """``limit`` columns of each row behind the first ``offset``, or from a qualifier on."""

    limit: int
    offset: int | bytes = 0

    def __post_init__(self) -> None:
        if self.limit < 0 or (isinstance(self.offset, int) and self.offset < 0):
            raise IllegalArgumentError(
                f"limit and offset of columns cannot be negative: {self.limit}, {self.offset!r}"
            )

    def start(self, circumstances: Circumstances) -> Evaluation:
        if isinstance(self.offset, bytes):
            return _ColumnsFrom(self.limit, self.offset)
        return _ColumnPage(self.limit, self.offset)


class _ColumnPage(Evaluation):
    def __init__(self, limit: int, offset: int) -> None:
        self._end = offset + limit
        self._offset = offset
        self._count = 0

    def reset(self) -> None:
        self._count = 0

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if self._count >= self._end:
            return ReturnCode.NEXT_ROW
        self._count += 1
        is_early = self._count <= self._offset
        return ReturnCode.NEXT_COL if is_early else ReturnCode.INCLUDE_AND_NEXT_COL


class _ColumnsFrom(Evaluation):
    def __init__(self, limit: int, first: bytes) -> None:
        self._limit = limit
        self._first = first
        self._count = 0

    def reset(self) -> None:
        self._count = 0

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if self._count >= self._limit:
            return ReturnCode.NEXT_ROW
        if not self._count and cell.qualifier < self._first:
            return ReturnCode.SEEK_NEXT_USING_HINT
        self._count += 1
        return ReturnCode.INCLUDE_AND_NEXT_COL

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return _column(cell, self._first)


@dataclass(frozen=True, slots=True)
class FirstKeyOnlyFilter(FilterKind):
    """The first cell of each row."""

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _FirstKeys(None)


@dataclass(frozen=True, slots=True)
class FirstKeyValueMatchingQualifiersFilter(FilterKind):
    """The cells of each row up to the first with one of these qualifiers."""

    qualifiers: frozenset[bytes]

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _FirstKeys(self.qualifiers)


class _FirstKeys(Evaluation):
    def __init__(self, qualifiers: frozenset[bytes] | None) -> None:
        self._qualifiers = qualifiers
        self._is_found = False

    def reset(self) -> None:
        self._is_found = False

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if self._is_found:
            return ReturnCode.NEXT_ROW
        self._is_found = self._qualifiers is None or cell.qualifier in self._qualifiers
        return ReturnCode.INCLUDE
