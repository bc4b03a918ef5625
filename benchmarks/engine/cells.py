"""The cells that every engine is given: the same bytes, from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

VALUE_BYTES: Final = 100
_POOL_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Shape:
    """What a row has: (family, qualifier) in order."""

    name: str
    columns: tuple[tuple[bytes, bytes], ...]

    @property
    def families(self) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(family for family, _ in self.columns))

    def __len__(self) -> int:
        """Cells a row."""
        return len(self.columns)


ONE: Final = Shape("one column a row", ((b"f", b"q0"),))
TEN: Final = Shape(
    "10 columns in 2 families",
    tuple((family, b"q%d" % number) for family in (b"f", b"g") for number in range(5)),
)


def row_of(number: int) -> bytes:
    return b"user%016d" % number


class Values:
    """Values of VALUE_BYTES that compress to about a half, as db_bench's do."""

    def __init__(self) -> None:
        self._pool = random.Random(7).randbytes(_POOL_BYTES)

    def of(self, cell: int) -> bytes:
        start = (cell * 2_654_435_761) % (_POOL_BYTES - VALUE_BYTES)
        return self._pool[start : start + VALUE_BYTES // 2] * 2


class Cells:
    """All cells of a table of some rows."""

    def __init__(self, shape: Shape, rows: int) -> None:
        self.shape = shape
        self.rows = [row_of(number) for number in range(rows)]
        self._values = Values()

    def __len__(self) -> int:
        return len(self.rows) * len(self.shape)

    def values(self, number: int) -> list[bytes]:
        """Of the ``number``-th row, by column."""
        width = len(self.shape)
        return [self._values.of(number * width + column) for column in range(width)]

    def quarters(self) -> list[list[int]]:
        """Every row once: four shares of rows at random, each in random order."""
        numbers = list(range(len(self.rows)))
        random.Random(3).shuffle(numbers)
        return [numbers[first::4] for first in range(4)]

    def batches(self, numbers: Sequence[int], cells: int = 1000) -> list[Sequence[int]]:
        """The rows in batches of so many cells."""
        size = max(cells // len(self.shape), 1)
        return [numbers[start : start + size] for start in range(0, len(numbers), size)]

    def some(self, count: int, seed: int = 1) -> list[bytes]:
        """Rows at random."""
        return random.Random(seed).choices(self.rows, k=count)
