"""A scan across regions: one scanner after another, opened again where one was lost.

Rows come whole, once and in order: a row is handed out only when all its cells are here, and a
scanner that is opened again begins behind the last row handed out, so no cell is seen twice
and no row is put together from two times. Only a scan that asks for parts of rows gets them as
they come; what it has of a row is left out when that row is read again. Source: ClientScanner,
AsyncScanSingleRegionRpcRetryingCaller, CompleteScanResultCache, BatchScanResultCache.
"""

from __future__ import annotations

from dataclasses import replace
from operator import ne
from typing import Any, Final

from ..errors import RaybaseError, ScannerResetError
from ..model import TableName
from ..operations import Scan
from ..rpc.client import Answer
from ..storage.cells import CellBatch
from ..storage.filters.evaluation import FilterKind
from ..storage.filters.lists import page_size_of
from . import wire
from .core import CLIENT, Core
from .effects import Begin, Call, Finish, Operation
from .location import RegionLocation
from .result import extend

ROWS_MAX: Final = 2**31 - 1


class Scanner:
    """The state of one scan. ``next_batch`` and ``close`` are operations, never two at once.

    The next answer is asked for before the last one is handed out, so server and client work
    at the same time.
    """

    def __init__(self, core: Core, table: TableName, scan: Scan) -> None:
        page = page_size_of(scan.filter) if isinstance(scan.filter, FilterKind) else None
        if page is not None:
            scan = replace(scan, limit=min(page, scan.limit or page))
        self._core = core
        self._table = table
        self._scan = scan
        self._in_parts = bool(scan.batch or scan.allow_partial)
        self._last: tuple[Any, ...] | None = None
        """The place of the last cell handed out of a row that goes on."""
        self._reads_again = False
        self._start = scan.start_row
        self._include_start = scan.include_start
        self._left = scan.limit
        self._location: RegionLocation | None = None
        self._scanner_id: int | None = None
        self._next_call_seq = 0
        self._ticket: Any = None
        self._held: CellBatch | None = None
        self._over = page == 0
        self._attempts = core.attempts(
            lambda: f"Scan of table {table} from row {self._start[:64]!r}"
        )

    def next_batch(self) -> Operation[CellBatch | None]:
        """The next whole rows, at least one; None when there are no more."""
        while not self._over:
            batch = yield from self._step()
            if batch.row_count:
                return batch
        return None

    def close(self) -> Operation[None]:
        """Lets the server forget the scanner, if it has one. Raises nothing.

        If the server cannot be told, the scanner's lease runs out.
        """
        self._over = True
        location, scanner_id = self._location, self._scanner_id
        if self._ticket is None and scanner_id is None:
            return
        try:
            if self._ticket is not None:
                ticket, self._ticket = self._ticket, None
                answer: Answer = yield Finish(ticket)
                if not answer.message.more_results_in_region:
                    return
                scanner_id = scanner_id or answer.message.scanner_id
            if location is not None and scanner_id is not None:
                message = wire.scan_close(scanner_id)
                timeout_s = self._attempts.call_timeout_s()
                yield Call(location.address, CLIENT, "Scan", message, timeout_s)
        except RaybaseError:
            # The lease ends it; the rows that were read are right all the same.
            self._scanner_id = None

    def _step(self) -> Operation[CellBatch]:
        """One answer of one scanner: its whole rows (maybe none)."""
        location = self._location
        try:
            if self._ticket is None:
                location = yield from self._begin()
            ticket, self._ticket = self._ticket, None
            answer: Answer = yield Finish(ticket)
            asked = self._may_ask_at_once(answer)
            if asked:
                yield from self._ask_again(answer)
            received = wire.scanned_batch(answer)
        except RaybaseError as error:
            self._lost()
            reset = isinstance(error, ScannerResetError) and not self._attempts.tries
            pause = self._attempts.failed(error, location.address if location else None)
            if not isinstance(error, ScannerResetError):
                yield from self._core.learn(self._table, location, error)
            if not reset:
                yield pause
            return CellBatch()
        self._attempts.progressed()
        return (yield from self._take(answer, received, asked=asked))

    def _begin(self) -> Operation[RegionLocation]:
        """Opens a scanner where the scan goes on."""
        location = yield from self._locate()
        self._location = location
        self._scanner_id = None
        rest = replace(
            self._scan,
            start_row=self._start,
            include_start=self._include_start,
            limit=self._left,
        )
        message = wire.scan_open(location, rest, self._rows_wanted())
        self._ticket = yield Begin(self._call(location, message))
        return location

    def _locate(self) -> Operation[RegionLocation]:
        if not self._scan.reversed:
            row = self._start if self._include_start else self._start + b"\0"
            return (yield from self._core.locate(self._table, row))
        before = not self._start or not self._include_start
        return (yield from self._core.locate(self._table, self._start, before=before))

    def _may_ask_at_once(self, answer: Answer) -> bool:
        """Whether there is more to come whatever the answer holds: then the server can work on
        it while the answer is decoded."""
        message = answer.message
        more = message.more_results and message.more_results_in_region
        return bool(more) and not self._scan.limit

    def _take(self, answer: Answer, received: CellBatch, *, asked: bool) -> Operation[CellBatch]:
        message = answer.message
        region_done = not message.more_results_in_region
        if self._in_parts:
            batch = self._new_parts(received)
            self._advance_in_parts(batch, goes_on=received.partial and not region_done)
        else:
            batch = self._whole_rows(received, region_done=region_done)
            self._advance(batch)
        if not message.more_results or (self._scan.limit and not self._left):
            self._over = True
        if not message.more_results_in_region:
            self._scanner_id = None
            self._next_region()
        elif self._over:
            self._scanner_id = self._scanner_id or message.scanner_id
            yield from self.close()
        elif not asked:
            yield from self._ask_again(answer)
        return batch

    def _ask_again(self, answer: Answer) -> Operation[None]:
        """Asks the scanner that gave this answer for the next one."""
        if self._scanner_id is None:
            self._scanner_id = answer.message.scanner_id
            self._next_call_seq = 0
        yield from self._ask_ahead()

    def _ask_ahead(self) -> Operation[None]:
        assert self._location is not None
        assert self._scanner_id is not None
        message = wire.scan_next(
            self._scanner_id, self._next_call_seq, self._rows_wanted(), self._left
        )
        self._next_call_seq += 1
        self._ticket = yield Begin(self._call(self._location, message))

    def _call(self, location: RegionLocation, message: Any) -> Call:
        timeout_s = self._attempts.call_timeout_s()
        return Call(location.address, CLIENT, "Scan", message, timeout_s)

    def _rows_wanted(self) -> int:
        wanted = self._scan.caching or ROWS_MAX
        return min(wanted, self._left) if self._left else wanted

    def _whole_rows(self, batch: CellBatch, *, region_done: bool) -> CellBatch:
        """Joins a row in parts, and holds back a last row of which more is to come."""
        held, self._held = self._held, None
        if held is not None:
            if not batch.row_count and not region_done:
                self._held = held
                return batch
            if batch.row_count and batch.rows[0] == held.rows[0]:
                held.row_ends.clear()
            extend(held, batch)
            batch = held
        if batch.partial and not region_done and batch.row_count:
            self._held = _cut_last_row(batch)
        batch.partial = False
        return batch

    def _advance(self, batch: CellBatch) -> None:
        """Counts rows against the limit and remembers where to go on."""
        if self._left:
            if batch.row_count > self._left:
                _cut_rows(batch, self._left)
            self._left -= batch.row_count
        if batch.row_count:
            self._start = batch.rows[-1]
            self._include_start = False

    def _new_parts(self, batch: CellBatch) -> CellBatch:
        """What was not handed out yet, of a scanner that was opened again within a row."""
        if not self._reads_again or self._last is None or not batch.row_count:
            return batch
        known = 0
        while (
            known < len(batch)
            and batch.rows[known] == self._start
            and place_of(batch, known) <= self._last
        ):
            known += 1
        self._reads_again = known == len(batch)
        return _without_first(batch, known)

    def _advance_in_parts(self, batch: CellBatch, *, goes_on: bool) -> None:
        """As ``_advance``; a row counts when its last part is here."""
        if not batch.row_count:
            return
        starts = [0, *batch.row_ends[:-1]]
        rows = [batch.rows[start] for start in starts]
        whole = sum(map(ne, rows, rows[1:])) + (not goes_on)
        whole += self._last is not None and rows[0] != self._start
        if self._left:
            self._left = max(self._left - whole, 0)
            self._over |= not self._left
        self._start = rows[-1]
        self._include_start = goes_on
        self._last = place_of(batch, len(batch) - 1) if goes_on else None

    def _next_region(self) -> None:
        """Goes to the neighbouring region, or ends the scan."""
        assert self._location is not None
        scan, region = self._scan, self._location.region
        edge = region.start_key if scan.reversed else region.end_key
        self._location = None
        self._held = None
        self._last = None
        if not edge:
            self._over = True
        elif scan.reversed:
            self._over |= bool(scan.stop_row) and edge <= scan.stop_row
        elif scan.stop_row:
            self._over |= edge > scan.stop_row or (edge == scan.stop_row and not scan.include_stop)
        self._start, self._include_start = edge, not scan.reversed

    def _lost(self) -> None:
        """The scanner is no more; the next step opens another behind the last whole row."""
        self._ticket = None
        self._scanner_id = None
        self._location = None
        self._held = None
        self._reads_again = True


def place_of(batch: CellBatch, index: int) -> tuple[Any, ...]:
    """Where a cell stands in its row; a later one compares greater."""
    return (
        batch.families[index],
        batch.qualifiers[index],
        -batch.timestamps[index],
        -batch.types[index],
    )


def _without_first(batch: CellBatch, count: int) -> CellBatch:
    """The batch without so many cells, and without results that have none left."""
    rest = _slice_from(batch, count)
    rest.row_ends = [end - count for end in batch.row_ends if end > count]
    rest.partial = batch.partial
    return rest


def _cut_last_row(batch: CellBatch) -> CellBatch:
    """Takes the last row out of the batch."""
    batch.row_ends.pop()
    start = batch.row_ends[-1] if batch.row_ends else 0
    last = _slice_from(batch, start)
    last.row_ends.append(len(last.values))
    _truncate(batch, start)
    return last


def _cut_rows(batch: CellBatch, rows: int) -> None:
    del batch.row_ends[rows:]
    _truncate(batch, batch.row_ends[-1] if rows else 0)


def _slice_from(batch: CellBatch, start: int) -> CellBatch:
    part = CellBatch()
    part.rows = batch.rows[start:]
    part.families = batch.families[start:]
    part.qualifiers = batch.qualifiers[start:]
    part.timestamps = batch.timestamps[start:]
    part.types = batch.types[start:]
    part.values = batch.values[start:]
    return part


def _truncate(batch: CellBatch, length: int) -> None:
    for column in (batch.rows, batch.families, batch.qualifiers, batch.values):
        del column[length:]
    del batch.timestamps[length:]
    del batch.types[length:]
