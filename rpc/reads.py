"""Gets, scans and their results as messages."""

from __future__ import annotations

from collections.abc import Iterable
from operator import eq
from typing import Any, Final

from ..errors import BadFrameError, IllegalArgumentError, UnsupportedOperationError
from ..model import ALL_TIME, LATEST_TIMESTAMP, TimeRange
from ..operations import RESULT_BYTES_MAX, Columns, Get, Scan
from ..storage.cells import CellBatch
from .call import Reply
from .codec import CellCodec
from .filters import filter_from_pb, filter_to_pb
from .proto import hbase_pb2 as pb
from .schema import region_specifier

ROWS_MAX: Final = 2**31 - 1
"""As number_of_rows: as many as the result's bytes allow."""

_RAW: Final = "_raw_"
_TRUE: Final = b"\xff"
"""As Bytes.toBytes(true)."""
_ISOLATION: Final = "_isolationlevel_"
_READ_UNCOMMITTED: Final = b"\1"
"""IsolationLevel.toBytes."""
_CELL_TYPES: Final = dict(zip(pb.CellType.values(), pb.CellType.values(), strict=True))


def columns_from_pb(columns: Iterable[pb.Column]) -> dict[bytes, tuple[bytes, ...] | None]:
    """A family named once without a qualifier is wanted whole."""
    wanted: dict[bytes, tuple[bytes, ...] | None] = {}
    for column in columns:
        family = bytes(column.family)
        qualifiers = tuple(bytes(one) for one in column.qualifier)
        before = wanted.get(family, ())
        wanted[family] = before + qualifiers if qualifiers and before is not None else None
    return wanted


def columns_to_pb(columns: Columns) -> list[pb.Column]:
    return [
        pb.Column(family=family, qualifier=qualifiers or ())
        for family, qualifiers in columns.items()
    ]


def time_range_to_pb(time_range: TimeRange) -> pb.TimeRange | None:
    if time_range.is_all:
        return None
    return pb.TimeRange(**{"from": time_range.start, "to": time_range.stop})


def time_range_from_pb(message: Any) -> TimeRange:
    """The range in a message's ``time_range``. Raises IllegalArgumentError if it is none."""
    if not message.HasField("time_range"):
        return ALL_TIME
    wire = message.time_range
    stop = wire.to if wire.HasField("to") else LATEST_TIMESTAMP
    return TimeRange(getattr(wire, "from"), min(stop, LATEST_TIMESTAMP))


def _options_to_pb(asked: Get | Scan, message: pb.Get | pb.Scan) -> None:
    """Sets what gets and scans have in common, and few of them use."""
    if asked.columns:
        message.column.extend(columns_to_pb(asked.columns))
    if asked.filter is not None:
        message.filter.CopyFrom(filter_to_pb(asked.filter))
    for family, times in asked.family_times.items():
        one = message.cf_time_range.add(column_family=family)
        one.time_range.CopyFrom(pb.TimeRange(**{"from": times.start, "to": times.stop}))
    if asked.store_limit:
        message.store_limit = asked.store_limit
    if asked.store_offset:
        message.store_offset = asked.store_offset
    if not asked.load_on_demand:
        message.load_column_families_on_demand = False
    if not asked.cache_blocks:
        message.cache_blocks = False
    if asked.read_uncommitted:
        message.attribute.add(name=_ISOLATION, value=_READ_UNCOMMITTED)


def _options_from_pb(message: pb.Get | pb.Scan) -> dict[str, Any]:
    """The fields of ``Get`` and ``Scan`` that both messages have.

    Raises IllegalArgumentError, UnsupportedOperationError or BadFrameError.
    """
    attributes = {one.name: one.value for one in message.attribute}
    return {
        "columns": columns_from_pb(message.column),
        "max_versions": message.max_versions,
        "time_range": time_range_from_pb(message),
        "filter": filter_from_pb(message.filter) if message.HasField("filter") else None,
        "family_times": {
            bytes(one.column_family): time_range_from_pb(one) for one in message.cf_time_range
        },
        "store_limit": message.store_limit if message.store_limit < ROWS_MAX else 0,
        "store_offset": message.store_offset,
        "load_on_demand": (
            message.load_column_families_on_demand
            or not message.HasField("load_column_families_on_demand")
        ),
        "read_uncommitted": attributes.get(_ISOLATION) == _READ_UNCOMMITTED,
        "cache_blocks": message.cache_blocks,
    }


def get_to_pb(get: Get) -> pb.Get:
    message = pb.Get(row=get.row, time_range=time_range_to_pb(get.time_range))
    _options_to_pb(get, message)
    if get.max_versions != 1:
        message.max_versions = get.max_versions
    if get.existence_only:
        message.existence_only = True
    return message


def get_from_pb(message: pb.Get) -> Get:
    """Raises IllegalArgumentError, UnsupportedOperationError or BadFrameError."""
    if message.closest_row_before:
        raise UnsupportedOperationError("closest_row_before is not supported")
    if not _has_options(message):
        return Get(
            message.row,
            columns_from_pb(message.column) if message.column else {},
            message.max_versions,
            time_range_from_pb(message),
            message.existence_only,
        )
    return Get(message.row, existence_only=message.existence_only, **_options_from_pb(message))


def _has_options(message: pb.Get) -> bool:
    """Whether a get wants what few do; most take the short way."""
    return bool(
        message.HasField("filter")
        or message.store_limit
        or message.store_offset
        or message.cf_time_range
        or message.attribute
        or not message.cache_blocks
    )


def get_request(region: bytes, get: Get) -> pb.GetRequest:
    """The request for a row of the region of this full name."""
    return pb.GetRequest(region=region_specifier(region), get=get_to_pb(get))


def scan_to_pb(scan: Scan) -> pb.Scan:
    """What the message can hold of a scan; its limits travel in the request."""
    message = pb.Scan(
        start_row=scan.start_row,
        stop_row=scan.stop_row,
        max_versions=scan.max_versions,
        time_range=time_range_to_pb(scan.time_range),
        max_result_size=scan.max_result_bytes,
        include_start_row=scan.include_start,
        include_stop_row=scan.include_stop,
    )
    _options_to_pb(scan, message)
    if scan.reversed:
        message.reversed = True
    if scan.batch:
        message.batch_size = scan.batch
    if scan.need_cursor:
        message.need_cursor_result = True
    if scan.raw:
        message.attribute.add(name=_RAW, value=_TRUE)
    if scan.caching:
        message.caching = scan.caching
    return message


def scan_request(region: bytes, scan: Scan) -> pb.ScanRequest:
    """The request that opens a scanner on a region and takes its first rows."""
    return pb.ScanRequest(
        region=region_specifier(region),
        scan=scan_to_pb(scan),
        number_of_rows=scan.caching or ROWS_MAX,
        limit_of_rows=scan.limit,
        client_handles_partials=True,
        client_handles_heartbeats=True,
    )


def scan_from_request(request: pb.ScanRequest) -> Scan:
    """The scan that a request opens: ``caching`` is its number_of_rows.

    Raises IllegalArgumentError, UnsupportedOperationError or BadFrameError.
    """
    message = request.scan
    if request.number_of_rows > ROWS_MAX:
        raise IllegalArgumentError(f"number_of_rows {request.number_of_rows} is negative")
    caching = request.number_of_rows
    is_raw = any(one.name == _RAW and one.value.strip(b"\0") for one in message.attribute)
    return Scan(
        start_row=bytes(message.start_row),
        stop_row=bytes(message.stop_row),
        include_start=message.include_start_row,
        include_stop=message.include_stop_row,
        reversed=message.reversed,
        limit=request.limit_of_rows,
        caching=0 if caching == ROWS_MAX else caching,
        max_result_bytes=message.max_result_size or RESULT_BYTES_MAX,
        batch=message.batch_size if message.batch_size < ROWS_MAX else 0,
        raw=is_raw,
        need_cursor=message.need_cursor_result,
        **_options_from_pb(message),
    )


def result_to_pb(batch: CellBatch | None, codec: CellCodec | None) -> pb.Result:
    """A result of these cells: their number if they travel in a block, else themselves."""
    if not batch:
        return pb.Result() if codec is None else pb.Result(associated_cell_count=0)
    result = pb.Result()
    if batch.partial:
        result.partial = True
    if codec is not None:
        result.associated_cell_count = len(batch)
        return result
    for row, family, qualifier, timestamp, type_code, value in batch.cells():
        result.cell.add(
            row=row,
            family=family,
            qualifier=qualifier,
            timestamp=timestamp,
            cell_type=_CELL_TYPES[type_code],
            value=value,
        )
    return result


def get_reply(batch: CellBatch, get: Get, codec: CellCodec | None) -> Reply:
    """The answer to a get, in the way the peer takes cells."""
    if get.existence_only:
        return Reply(pb.GetResponse(result=pb.Result(exists=len(batch) > 0)))
    response = pb.GetResponse(result=result_to_pb(batch, codec))
    return Reply(response, batch if codec is not None and batch else None)


def scan_reply(response: pb.ScanResponse, batch: CellBatch, codec: CellCodec | None) -> Reply:
    """Adds the rows of ``batch`` to a response whose other fields are set already."""
    if not batch:
        return Reply(response)
    if codec is not None and codec.keeps_rows:
        return Reply(response, batch)
    starts = [0, *batch.row_ends[:-1]]
    if codec is None:
        rows = [piece(batch, start, end) for start, end in zip(starts, batch.row_ends, strict=True)]
        for row, goes_on in zip(rows, _go_on(batch, starts), strict=True):
            row.partial = goes_on
        response.results.extend(result_to_pb(row, None) for row in rows)
        return Reply(response)
    response.cells_per_result.extend(
        end - start for start, end in zip(starts, batch.row_ends, strict=True)
    )
    response.partial_flag_per_result.extend(_go_on(batch, starts))
    return Reply(response, batch)


def _go_on(batch: CellBatch, starts: list[int]) -> list[bool]:
    """Of each result, whether its row goes on in the next one."""
    rows = [batch.rows[start] for start in starts]
    return [*map(eq, rows, rows[1:]), batch.partial]


def scan_batch(response: pb.ScanResponse, cells: CellBatch | None) -> CellBatch:
    """The rows of an answer to a scan, however the server sent them."""
    if response.results:
        return _inline(response.results)
    if cells is None:
        return CellBatch()
    if response.cells_per_result:
        ends = []
        end = 0
        for count in response.cells_per_result:
            end += count
            ends.append(end)
        if end != len(cells):
            raise BadFrameError(f"{len(cells)} cells in an answer whose rows have {end}")
        cells.row_ends = ends
        cells.partial = any(response.partial_flag_per_result[-1:])
    return cells


def result_batch(result: pb.Result, cells: CellBatch | None) -> CellBatch:
    """The cells of an answer with one result (of Get, Append, Increment, ...)."""
    if result.cell:
        return _inline([result])
    return cells if cells is not None else CellBatch()


def _inline(results: Iterable[pb.Result]) -> CellBatch:
    batch = CellBatch()
    for result in results:
        for cell in result.cell:
            batch.append(
                cell.row, cell.family, cell.qualifier, cell.timestamp, cell.cell_type, cell.value
            )
        if result.cell:
            batch.end_row()
        batch.partial = result.partial
    return batch


def piece(batch: CellBatch, start: int, end: int) -> CellBatch:
    """The cells ``start <= index < end``, as one row."""
    part = CellBatch()
    part.rows = batch.rows[start:end]
    part.families = batch.families[start:end]
    part.qualifiers = batch.qualifiers[start:end]
    part.timestamps = batch.timestamps[start:end]
    part.types = batch.types[start:end]
    part.values = batch.values[start:end]
    if end > start:
        part.row_ends = [end - start]
    return part
