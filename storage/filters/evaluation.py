"""What a filter is to the scanner that asks it.

A ``FilterKind`` says what is wanted and never changes; ``start`` gives the ``Evaluation``, which
holds what one scan has seen so far. The scanner calls an evaluation in HBase's order: for every
row ``reset``, ``filter_all_remaining``, ``filter_row_key``, then for every cell
``filter_cell`` and for those included ``transform_cell``, at last ``filter_row_cells`` and
``filter_row``. Source: Filter.java, FilterBase.java.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, NamedTuple

from ...operations import Filter


class Cell(NamedTuple):
    """A cell that the read sees."""

    row: bytes
    family: bytes
    qualifier: bytes
    timestamp: int
    type_code: int
    value: bytes


class Hint(NamedTuple):
    """A place no wanted cell lies before: a row's start, or a column of the row at hand."""

    row: bytes
    family: bytes = b""
    qualifier: bytes = b""


class Step(Enum):
    """Where to go after a cell."""

    CELL = 0
    COLUMN = 1
    ROW = 2
    """The next row, of the family at hand: other families of this row are still looked at."""
    HINT = 3


class ReturnCode(Enum):
    """Whether a cell is wanted, and where to go on (HBase's names)."""

    INCLUDE = (True, Step.CELL)
    INCLUDE_AND_NEXT_COL = (True, Step.COLUMN)
    INCLUDE_AND_SEEK_NEXT_ROW = (True, Step.ROW)
    SKIP = (False, Step.CELL)
    NEXT_COL = (False, Step.COLUMN)
    NEXT_ROW = (False, Step.ROW)
    SEEK_NEXT_USING_HINT = (False, Step.HINT)

    def __init__(self, includes: bool, step: Step) -> None:
        self.includes = includes
        self.step = step


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an evaluation must know of the scan it is for."""

    downwards: bool = False
    seed: int = 0
    """Where chance comes from: equal seeds, equal choices."""

    def is_before(self, left: Hint, right: Hint) -> bool:
        """Whether a scan comes to ``left`` first: rows in its direction, columns upwards."""
        if left.row != right.row:
            return (left.row > right.row) if self.downwards else (left.row < right.row)
        return left[1:] < right[1:]


class Evaluation:
    """A filter at work in one scan. By itself it lets everything pass."""

    def reset(self) -> None:
        """A new row begins."""

    def filter_all_remaining(self) -> bool:
        """Whether nothing that is still to come is wanted."""
        return False

    def filter_row_key(self, row: bytes) -> bool:
        """Whether the row is dropped unseen. Called once for each row, in order."""
        return self.filter_all_remaining()

    def filter_cell(self, cell: Cell) -> ReturnCode:
        """Called once for every cell, in order, but for those that steps leave out."""
        return ReturnCode.INCLUDE

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        """Where to go, after SEEK_NEXT_USING_HINT for this cell; None: to the next one."""
        return None

    def transform_cell(self, cell: Cell) -> Cell:
        """What becomes of a cell that was included last."""
        return cell

    def filter_row_cells(self, cells: list[Cell]) -> list[Cell]:
        """What stays of the row's included cells; for filters with ``has_filter_row``."""
        return cells

    def filter_row(self) -> bool:
        """Whether the row is dropped after all."""
        return False


class FilterKind(Filter):
    """Base of all filters: a description, compared by what it says."""

    is_hinting: ClassVar[bool] = False
    """Whether lists of filters ask it for every cell, as its hints save reading."""

    @property
    def has_filter_row(self) -> bool:
        return False

    @property
    def weight(self) -> int:
        """What asking it about a cell costs, in about what one simple filter costs."""
        return 1

    def is_family_essential(self, family: bytes) -> bool:
        """Whether cells of the family are needed to decide over a row."""
        return True

    @abstractmethod
    def start(self, circumstances: Circumstances) -> Evaluation:
        """Its state for a scan that begins."""
