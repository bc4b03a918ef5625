"""How the cells of several families are put together by row: an order for parallel lists.

Both orders are made once and then applied to each of the six lists of a scan's cells, which
costs more than to find them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, compress
from operator import itemgetter, ne
from typing import Any, Final, Self, TypeVar

from .store_scanner import StoreScanner

T = TypeVar("T")

Part = tuple[StoreScanner, int]
"""A store and where its cells end, of those that begin with its next one; not empty."""
_WOVEN_FROM: Final = 8
"""Rows from which a slice a column is cheaper than a place a cell."""


class Weave:
    """Of rows that all have the same number of cells in each family, as most tables' do.

    A list is put in order by one slice a column: 5 ns a cell, where places cost 11 and the sort
    that finds them 60.
    """

    __slots__ = ("_strides", "_width", "row_count")

    def __init__(self, strides: Sequence[int], row_count: int) -> None:
        self._strides = strides
        self._width = sum(strides)
        self.row_count = row_count

    @classmethod
    def found(cls, parts: Sequence[Part]) -> Self | None:
        """None if the rows differ in shape, or a family lacks one."""
        strides: list[int] = []
        rows: list[bytes] = []
        for store, end in parts:
            first = store.next_cell
            starts = store.starts[store.next_row :]
            if len(starts) < _WOVEN_FROM or starts[0] != first:
                return None
            stride = starts[1] - first
            count, rest = divmod(end - first, stride)
            if rest or count < _WOVEN_FROM or starts[:count] != list(range(first, end, stride)):
                return None
            if count < len(starts) and starts[count] != end:
                return None
            own = store.rows[first:end:stride]
            if rows and own != rows:
                return None
            rows = own
            strides.append(stride)
        return cls(strides, len(rows))

    @property
    def starts(self) -> Sequence[int]:
        """Where each row begins."""
        return range(0, self.row_count * self._width, self._width)

    def of(self, lists: Sequence[Sequence[T]]) -> list[T]:
        """One list of these, one a family, in the order of rows."""
        woven = list(chain.from_iterable(lists))
        width = self._width
        column = 0
        for cells, stride in zip(lists, self._strides, strict=True):
            for place in range(stride):
                woven[column::width] = cells[place::stride]
                column += 1
        return woven


class Sorting:
    """Of any rows. A stable sort keeps the families of a row in their order."""

    __slots__ = ("_pick", "row_count", "starts")

    def __init__(self, parts: Sequence[Part]) -> None:
        rows = list(chain.from_iterable(one.rows[one.next_cell : end] for one, end in parts))
        order = sorted(range(len(rows)), key=rows.__getitem__)
        self._pick: Any = itemgetter(*order) if len(order) > 1 else None
        rows = self.of([rows])
        self.starts = list(compress(range(len(rows)), map(ne, rows, chain((None,), rows))))
        """Where each row begins."""
        self.row_count = len(self.starts)

    def of(self, lists: Sequence[Sequence[T]]) -> list[T]:
        """As ``Weave.of``."""
        joined = list(chain.from_iterable(lists))
        return list(self._pick(joined)) if self._pick is not None else joined
