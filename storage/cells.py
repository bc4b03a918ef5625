"""Cells on their way out of a region: columns of parallel lists, no container per cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self


class CellBatch:
    """Cells of whole rows (or of one part of a row), in order, as parallel lists.

    ``row_ends[i]`` is the index after the last cell of the i-th row, so a batch of no rows
    has no cells. ``partial`` says that the last row goes on in the next batch. Lists of bytes
    and ints only: the garbage collector has nothing to visit per cell.
    """

    __slots__ = (
        "families",
        "partial",
        "qualifiers",
        "row_ends",
        "rows",
        "timestamps",
        "types",
        "values",
    )

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.families: list[bytes] = []
        self.qualifiers: list[bytes] = []
        self.timestamps: list[int] = []
        self.types: list[int] = []
        self.values: list[bytes] = []
        self.row_ends: list[int] = []
        self.partial = False

    @classmethod
    def of_row(
        cls,
        row: bytes,
        families: list[bytes],
        qualifiers: list[bytes],
        timestamps: list[int],
        type_code: int,
        values: list[bytes],
    ) -> Self:
        """One whole row, whose cells are all of a type; it takes the lists over."""
        out = cls.__new__(cls)
        count = len(values)
        out.rows = [row] * count
        out.families = families
        out.qualifiers = qualifiers
        out.timestamps = timestamps
        out.types = [type_code] * count
        out.values = values
        out.row_ends = [count]
        out.partial = False
        return out

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.values)

    @property
    def row_count(self) -> int:
        return len(self.row_ends)

    def append(
        self,
        row: bytes,
        family: bytes,
        qualifier: bytes,
        timestamp: int,
        type_code: int,
        value: bytes,
    ) -> None:
        """Adds a cell to the row being built; ``end_row`` completes it."""
        self.rows.append(row)
        self.families.append(family)
        self.qualifiers.append(qualifier)
        self.timestamps.append(timestamp)
        self.types.append(type_code)
        self.values.append(value)

    def end_row(self) -> None:
        self.row_ends.append(len(self.values))

    def cells(self) -> Iterator[tuple[bytes, bytes, bytes, int, int, bytes]]:
        """(row, family, qualifier, timestamp, type, value) of every cell; not for hot paths."""
        return zip(
            self.rows,
            self.families,
            self.qualifiers,
            self.timestamps,
            self.types,
            self.values,
            strict=True,
        )
