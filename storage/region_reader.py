"""The reading half of a region: gets, scanners, and what open scanners still need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..model import RegionInfo
from ..operations import Get, Scan
from .cells import CellBatch
from .edits import EditBuilder
from .key import END, RowEncoder, row_start, row_stop, unescape
from .mvcc import Mvcc
from .reading import Reading
from .scanner import RegionScanner, Source
from .store import Store
from .store_file import least_bound
from .store_scanner import read_row


class RegionReader:
    """Reads the stores of a region as of its read point.

    Args:
        info: rows outside of it are refused, or left out of scans.
        stores: the region's, by family.
        encoder: the table's row encoder.
        mvcc: knows the read point.
        check: knows which rows and families there are.

    """

    def __init__(
        self,
        info: RegionInfo,
        stores: Mapping[bytes, Store],
        encoder: RowEncoder,
        mvcc: Mvcc,
        check: EditBuilder,
    ) -> None:
        self._info = info
        self._stores = stores
        self._encoder = encoder
        self._mvcc = mvcc
        self._check = check
        self._read_points: Counter[int] = Counter()

    def get(self, get: Get, now_ms: int) -> CellBatch:
        """As ``Region.get``."""
        self._check.check_row(get.row)
        encoded = self._encoder.encode(get.row)
        out = CellBatch()
        for store, reading in self._sources(get, self._mvcc.read_point, now_ms):
            cells = read_row(store, reading, encoded)
            count = len(cells)
            if count:
                offset = len(encoded) + len(END)
                qualifiers = [column[offset : -len(END)] for column in cells.columns]
                out.rows += [get.row] * count
                out.families += [store.family.name] * count
                out.qualifiers += map(unescape, qualifiers)
                out.timestamps += cells.timestamps
                out.types += cells.types
                out.values += cells.values
        if out.values:
            out.end_row()
        return out

    def get_scanner(self, get: Get, now_ms: int) -> RegionScanner:
        """As ``Region.get_scanner``."""
        self._check.check_row(get.row)
        encoded = self._encoder.encode(get.row)
        return self._open_scanner(get, now_ms, row_start(encoded), row_stop(encoded), row=encoded)

    def scanner(self, scan: Scan, now_ms: int) -> RegionScanner:
        """As ``Region.scanner``."""
        start, stop = self._bounds(scan)
        return self._open_scanner(
            scan, now_ms, start, stop, downwards=scan.reversed, limit=scan.limit
        )

    def least_read_point(self) -> int:
        """What flushes and compactions must keep is seen from here on."""
        return min(self._read_points, default=self._mvcc.read_point)

    def _sources(
        self,
        asked: Get | Scan,
        read_point: int,
        now_ms: int,
    ) -> list[Source]:
        columns = asked.columns
        wanted = columns or self._stores
        for name in wanted:
            self._check.check_family(name)
        return [
            (
                store,
                Reading(
                    store.family,
                    read_point,
                    now_ms,
                    asked.max_versions,
                    asked.time_range,
                    columns[name] if columns else None,
                    has_tags=store.has_tags,
                ),
            )
            for name, store in self._stores.items()
            if name in wanted
        ]

    def _bounds(self, scan: Scan) -> tuple[bytes, bytes]:
        """(least key, key to end before) of the scan's rows in the region."""
        encode = self._encoder.encode
        low, high = scan.start_row, scan.stop_row
        with_low, with_high = scan.include_start, scan.include_stop
        if scan.reversed:
            low, high, with_low, with_high = high, low, with_high, with_low
        start = stop = b""
        if low:
            start = (row_start if with_low else row_stop)(encode(low))
        if high:
            stop = (row_stop if with_high else row_start)(encode(high))
        if self._info.start_key:
            start = max(start, row_start(encode(self._info.start_key)))
        if self._info.end_key:
            stop = least_bound(stop, row_start(encode(self._info.end_key)))
        return start, stop

    def _open_scanner(
        self,
        asked: Get | Scan,
        now_ms: int,
        start: bytes,
        stop: bytes,
        *,
        downwards: bool = False,
        limit: int = 0,
        row: bytes | None = None,
    ) -> RegionScanner:
        read_point = self._mvcc.read_point
        sources = self._sources(asked, read_point, now_ms)
        if stop and start >= stop:
            sources = []
        self._read_points[read_point] += 1
        return RegionScanner(
            sources,
            self._encoder,
            start,
            stop,
            downwards=downwards,
            limit=limit,
            row=row,
            on_close=lambda: self._release(read_point),
        )

    def _release(self, read_point: int) -> None:
        self._read_points[read_point] -= 1
        if not self._read_points[read_point]:
            del self._read_points[read_point]
