"""Filters that look at values and timestamps, or change what is returned of a cell.

Source: the classes of the same names in org.apache.hadoop.hbase.filter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...errors import IllegalArgumentError
from ...operations import CompareOperator
from .comparators import BinaryComparator, Comparator, passes
from .evaluation import Cell, Circumstances, Evaluation, FilterKind, ReturnCode


@dataclass(frozen=True, slots=True)
class ValueFilter(FilterKind):
    """Cells for which ``value operator comparator`` holds."""

    operator: CompareOperator
    comparator: Comparator

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Value(passes(self.operator, self.comparator))


class _Value(Evaluation):
    def __init__(self, passes: Callable[[bytes], bool]) -> None:
        self._passes = passes

    def filter_cell(self, cell: Cell) -> ReturnCode:
        return ReturnCode.INCLUDE if self._passes(cell.value) else ReturnCode.SKIP


@dataclass(frozen=True, slots=True)
class KeyOnlyFilter(FilterKind):
    """Cells without their values, or with the values' lengths (4 bytes) in their place."""

    length_as_value: bool = False

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _KeyOnly(self.length_as_value)


class _KeyOnly(Evaluation):
    def __init__(self, length_as_value: bool) -> None:
        self._length_as_value = length_as_value

    def transform_cell(self, cell: Cell) -> Cell:
        left = len(cell.value).to_bytes(4, "big") if self._length_as_value else b""
        return cell._replace(value=left)


@dataclass(frozen=True, slots=True)
class TimestampsFilter(FilterKind):
    """Cells with exactly these timestamps.

    ``can_hint`` lets HBase seek within a column, over tombstones that it then misses; here it
    changes nothing.
    """

    timestamps: tuple[int, ...]
    can_hint: bool = False

    def __post_init__(self) -> None:
        if min(self.timestamps, default=0) < 0:
            raise IllegalArgumentError(f"a timestamp is negative: {min(self.timestamps)}")
        object.__setattr__(self, "timestamps", tuple(sorted(set(self.timestamps))))

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Timestamps(self.timestamps)


class _Timestamps(Evaluation):
    def __init__(self, timestamps: tuple[int, ...]) -> None:
        self._wanted = frozenset(timestamps)
        self._least = min(timestamps, default=2**63)

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if cell.timestamp in self._wanted:
            return ReturnCode.INCLUDE
        return ReturnCode.NEXT_COL if cell.timestamp < self._least else ReturnCode.SKIP


@dataclass(frozen=True, slots=True)
class SingleColumnValueFilter(FilterKind):
    """Rows whose column has a value for which ``value operator comparator`` holds.

    Args:
        family: the column's.
        qualifier: the column's.
        operator: how the value must stand to what is given.
        comparator: what is given; bytes mean BinaryComparator.
        filter_if_missing: whether rows without the column are dropped.
        latest_version_only: whether older versions are not looked at.

    """

    family: bytes
    qualifier: bytes
    operator: CompareOperator
    comparator: Comparator | bytes
    filter_if_missing: bool = False
    latest_version_only: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "comparator", as_comparator(self.comparator))

    @property
    def has_filter_row(self) -> bool:
        return True

    def is_family_essential(self, family: bytes) -> bool:
        return not self.filter_if_missing or family == self.family

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _SingleColumn(self)


class _SingleColumn(Evaluation):
    def __init__(self, kind: SingleColumnValueFilter) -> None:
        self._kind = kind
        self._column = (kind.family, kind.qualifier)
        self._passes = passes(kind.operator, as_comparator(kind.comparator))
        self._is_found = False
        self._is_matched = False

    def reset(self) -> None:
        self._is_found = self._is_matched = False

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if self._is_matched:
            return ReturnCode.INCLUDE
        if self._is_found and self._kind.latest_version_only:
            return ReturnCode.NEXT_ROW
        if cell[1:3] != self._column:
            return ReturnCode.INCLUDE
        self._is_found = True
        self._is_matched = self._passes(cell.value)
        if self._is_matched or not self._kind.latest_version_only:
            return ReturnCode.INCLUDE
        return ReturnCode.NEXT_ROW

    def filter_row(self) -> bool:
        return not self._is_matched if self._is_found else self._kind.filter_if_missing


@dataclass(frozen=True, slots=True)
class SingleColumnValueExcludeFilter(SingleColumnValueFilter):
    """As SingleColumnValueFilter, and the column itself is not returned."""

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _SingleColumnExclude(self)


class _SingleColumnExclude(_SingleColumn):
    def filter_row_cells(self, cells: list[Cell]) -> list[Cell]:
        return [cell for cell in cells if cell[1:3] != self._column]


@dataclass(frozen=True, slots=True)
class ColumnValueFilter(FilterKind):
    """The cells of one column for which ``value operator comparator`` holds, and no others."""

    family: bytes
    qualifier: bytes
    operator: CompareOperator
    comparator: Comparator | bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "comparator", as_comparator(self.comparator))

    def is_family_essential(self, family: bytes) -> bool:
        return family == self.family

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _ColumnValue(self)


class _ColumnValue(Evaluation):
    def __init__(self, kind: ColumnValueFilter) -> None:
        self._column = (kind.family, kind.qualifier)
        self._passes = passes(kind.operator, as_comparator(kind.comparator))
        self._is_found = False

    def reset(self) -> None:
        self._is_found = False

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if cell[1:3] != self._column:
            return ReturnCode.NEXT_ROW if self._is_found else ReturnCode.NEXT_COL
        self._is_found = True
        return ReturnCode.INCLUDE if self._passes(cell.value) else ReturnCode.SKIP


@dataclass(frozen=True, slots=True)
class DependentColumnFilter(FilterKind):
    """Cells with a timestamp that a cell of the column has.

    Args:
        family: the column's.
        qualifier: the column's.
        drop_dependent_column: whether the column itself is not returned.
        operator: how the column's value must stand to what is given, if something is.
        comparator: what is given; None: every value counts.

    """

    family: bytes
    qualifier: bytes
    drop_dependent_column: bool = False
    operator: CompareOperator | None = None
    comparator: Comparator | None = None

    def __post_init__(self) -> None:
        if (self.operator is None) != (self.comparator is None):
            raise IllegalArgumentError("give operator and comparator, or none of them")

    @property
    def has_filter_row(self) -> bool:
        return True

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _DependentColumn(self)


class _DependentColumn(Evaluation):
    def __init__(self, kind: DependentColumnFilter) -> None:
        self._column = (kind.family, kind.qualifier)
        self._passes: Callable[[bytes], bool] | None = None
        if kind.operator is not None and kind.comparator is not None:
            self._passes = passes(kind.operator, kind.comparator)
        self._drops = kind.drop_dependent_column
        self._timestamps: set[int] = set()

    def reset(self) -> None:
        self._timestamps.clear()

    def filter_cell(self, cell: Cell) -> ReturnCode:
        if cell[1:3] != self._column:
            return ReturnCode.INCLUDE
        if self._passes is not None and not self._passes(cell.value):
            return ReturnCode.SKIP
        self._timestamps.add(cell.timestamp)
        return ReturnCode.SKIP if self._drops else ReturnCode.INCLUDE

    def filter_row_cells(self, cells: list[Cell]) -> list[Cell]:
        return [cell for cell in cells if cell.timestamp in self._timestamps]


def as_comparator(given: Comparator | bytes) -> Comparator:
    """What a filter was given to compare with: bytes are compared as such."""
    return given if isinstance(given, Comparator) else BinaryComparator(given)
