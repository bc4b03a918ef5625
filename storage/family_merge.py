"""How the cells of several families are put together by row: an order for parallel lists.

Both orders are found once, from the rows of every family's cells, and then applied to each of
the lists that say more of them, which costs more than to find them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, compress
from operator import itemgetter, lt, ne
from typing import Any, Final, Self, TypeVar

T = TypeVar("T")

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
    def found(cls, families: Sequence[list[bytes]]) -> Self | None:
        """From the row of every cell of each family, in order; none of them is empty.

        None if the rows differ in shape, or a family lacks one.
        """
        strides: list[int] = []
        rows: list[bytes] = []
        for cells in families:
            stride = next((at for at, row in enumerate(cells) if row != cells[0]), len(cells))
            own = cells[::stride]
            if len(own) < _WOVEN_FROM or len(own) * stride != len(cells) or (rows and own != rows):
                return None
            if any(cells[place::stride] != own for place in range(1, stride)):
                return None
            if not rows and not all(map(lt, own, own[1:])):
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

    def __init__(self, families: Sequence[list[bytes]]) -> None:
        rows = list(chain.from_iterable(families))
        order = sorted(range(len(rows)), key=rows.__getitem__)
        self._pick: Any = itemgetter(*order) if len(order) > 1 else None
        rows = self.of([rows])
        self.starts: Sequence[int] = list(
            compress(range(len(rows)), map(ne, rows, chain((None,), rows)))
        )
        """Where each row begins."""
        self.row_count = len(self.starts)

    def of(self, lists: Sequence[Sequence[T]]) -> list[T]:
        """As ``Weave.of``."""
        joined = list(chain.from_iterable(lists))
        return list(self._pick(joined)) if self._pick is not None else joined


def order_of(families: Sequence[list[bytes]]) -> Weave | Sorting:
    """The order of the cells whose rows these are, one list a family; none of them is empty."""
    return Weave.found(families) or Sorting(families)
