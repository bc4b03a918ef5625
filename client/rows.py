"""Rows: the answer of a scan, for code that waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from ..operations import Scan
from ..storage.cells import CellBatch
from .blocking import BlockingShell
from .result import Columns, Result, results
from .table_core import TableCore


class Rows:
    """A scan that has not begun. Iterating it gives a Result for each row."""

    def __init__(self, shell: BlockingShell, core: TableCore, scan: Scan) -> None:
        self._shell = shell
        self._core = core
        self._scan = scan

    def __iter__(self) -> Iterator[Result]:
        for batch in self.batches():
            yield from results(batch)

    def batches(self) -> Iterator[CellBatch]:
        """Whole rows as the servers send them, as parallel lists of cells: the fastest way.

        A batch is the caller's. Leaving the loop early closes the scanner.
        """
        scanner = self._core.scanner(self._scan)
        try:
            while (batch := self._shell.run(scanner.next_batch())) is not None:
                yield batch
        finally:
            self._shell.run(scanner.close())

    def columns(self) -> Columns:
        """All cells of the scan as columns; they must fit into memory."""
        return Columns(self.batches())

    def first(self) -> Result | None:
        """The first row, or None."""
        return next(iter(self), None)

    def count(self) -> int:
        """Number of rows. All cells that the scan selects are read, so select few."""
        return sum(batch.row_count for batch in self.batches())

    def __repr__(self) -> str:
        return f"<Rows of {self._core.name}: {self._scan}>"
