"""The reading half of a region: gets, scanners, and what open scanners still need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..errors import UnsupportedOperationError
from ..model import RegionInfo
from ..operations import ALL_VERSIONS, Get, Scan
from .cells import CellBatch
from .downward_scanner import DownwardScanner
from .edits import EditBuilder
from .filters.evaluation import Circumstances, Evaluation, FilterKind
from .key import END, SEQUENCE_MAX, RowEncoder, row_start, row_stop, unescape
from .mvcc import Mvcc
from .reading import Reading
from .row_reader import RowReader, is_plain
from .row_scanner import RowLimits, RowScanner
from .row_walk import DownwardWalk, UpwardWalk
from .scanner import RangeScanner, RegionScanner, RowSource, Source
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
        self._rows = RowReader(stores, encoder)
        self._read_points: Counter[int] = Counter()

    def get(self, get: Get, now_ms: int) -> CellBatch:
        """As ``Region.get``."""
        self._check.check_row(get.row)
        if is_plain(get):
            found = self._rows.read(get, self._mvcc.read_point)
            if found is not None:
                return found
        if _reads_row_by_row(get):
            scanner = self.get_scanner(get, now_ms)
            try:
                return scanner.next()
            finally:
                scanner.close()
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

    def get_many(self, gets: Sequence[Get], now_ms: int) -> list[CellBatch]:
        """As ``Region.get_many``."""
        for get in gets:
            self._check.check_row(get.row)
        if all(map(is_plain, gets)) and all(get.columns == gets[0].columns for get in gets):
            found = self._rows.read_many(gets, self._mvcc.read_point)
            if found is not None:
                return found
        return [self.get(get, now_ms) for get in gets]

    def get_scanner(self, get: Get, now_ms: int) -> RegionScanner:
        """As ``Region.get_scanner``."""
        self._check.check_row(get.row)
        encoded = self._encoder.encode(get.row)
        return self._open_scanner(get, now_ms, row_start(encoded), row_stop(encoded), row=encoded)

    def scanner(self, scan: Scan, now_ms: int) -> RegionScanner:
        """As ``Region.scanner``."""
        start, stop = self._bounds(scan)
        return self._open_scanner(scan, now_ms, start, stop, limit=scan.limit)

    def least_read_point(self) -> int:
        """What flushes and compactions must keep is seen from here on."""
        return min(self._read_points, default=self._mvcc.read_point)

    def _sources(
        self, asked: Get | Scan, read_point: int, now_ms: int
    ) -> list[tuple[Store, Reading]]:
        columns = asked.columns
        wanted = columns or self._stores
        for name in (*wanted, *asked.family_times):
            self._check.check_family(name)
        if asked.read_uncommitted:
            read_point = SEQUENCE_MAX
        # A filter sees every version the family keeps; it is asked for before they are counted.
        versions = asked.max_versions if asked.filter is None else ALL_VERSIONS
        is_raw = isinstance(asked, Scan) and asked.raw
        return [
            (
                store,
                Reading(
                    store.family,
                    read_point,
                    now_ms,
                    asked.max_versions if is_raw else versions,
                    asked.family_times.get(name, asked.time_range),
                    columns[name] if columns else None,
                    raw=is_raw,
                    # What is written while a scanner goes on may have tags, too.
                    has_tags=store.has_tags or asked.read_uncommitted,
                    cache_blocks=asked.cache_blocks,
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
        limit: int = 0,
        row: bytes | None = None,
    ) -> RegionScanner:
        read_point = self._mvcc.read_point
        found = self._sources(asked, read_point, now_ms)
        if stop and start >= stop:
            found = []
        sources = [(store.view(), reading) for store, reading in found]
        rows: RowSource
        if _reads_row_by_row(asked):
            rows = self._row_scanner(asked, sources, now_ms, start, stop, row)
        elif isinstance(asked, Scan) and asked.reversed:
            rows = DownwardScanner(sources, self._encoder, start, stop)
        else:
            rows = RangeScanner(sources, self._encoder, start, stop, row)
        self._read_points[read_point] += 1
        return RegionScanner(rows, limit=limit, on_close=lambda: self._release(read_point))

    def _row_scanner(
        self,
        asked: Get | Scan,
        sources: list[Source],
        now_ms: int,
        start: bytes,
        stop: bytes,
        row: bytes | None,
    ) -> RowScanner:
        """Raises UnsupportedOperationError for a filter that is none of ours."""
        kind = asked.filter
        if kind is not None and not isinstance(kind, FilterKind):
            raise UnsupportedOperationError(f"filters of class {type(kind).__name__}")
        downwards = isinstance(asked, Scan) and asked.reversed
        batch = asked.batch if isinstance(asked, Scan) else 0
        joined: list[Source] = []
        if kind is not None and asked.load_on_demand and not batch:
            joined = [one for one in sources if not kind.is_family_essential(one[0].family.name)]
            sources = [one for one in sources if one not in joined]
        walk: DownwardWalk | UpwardWalk
        if downwards:
            walk = DownwardWalk(sources, joined, self._encoder, start, stop)
        else:
            walk = UpwardWalk(sources, joined, self._encoder, start, stop, row)
        # The time is what chance comes from: rows fall otherwise in every scan.
        evaluation = kind.start(Circumstances(downwards, now_ms)) if kind else Evaluation()
        limits = RowLimits(asked.max_versions, asked.store_limit, asked.store_offset, batch)
        return RowScanner(walk, self._encoder, limits, kind, evaluation, has_joined=bool(joined))

    def _release(self, read_point: int) -> None:
        self._read_points[read_point] -= 1
        if not self._read_points[read_point]:
            del self._read_points[read_point]


def _reads_row_by_row(asked: Get | Scan) -> bool:
    """Whether more is wanted than a range of visible cells."""
    return bool(
        asked.filter is not None
        or asked.store_limit
        or asked.store_offset
        or (isinstance(asked, Scan) and asked.batch)
    )
