"""Mutations, conditions and their answers as messages."""

from __future__ import annotations

from typing import Any, Final

from ..errors import BadFrameError, IllegalArgumentError, UnsupportedOperationError
from ..model import LATEST_TIMESTAMP, CellType, Durability
from ..operations import (
    Cell,
    CompareOperator,
    Condition,
    Delete,
    Mutation,
    MutationKind,
)
from ..storage.cells import CellBatch
from ..storage.tags import tagged
from .call import Reply
from .codec import CellCodec
from .filters import filter_from_pb, filter_to_pb
from .proto import hbase_pb2 as pb
from .reads import result_to_pb, time_range_from_pb, time_range_to_pb
from .schema import parsed, region_specifier

BINARY_COMPARATOR: Final = "org.apache.hadoop.hbase.filter.BinaryComparator"

_RETURN_RESULTS: Final = "_rr_"
_TTL: Final = "_ttl"
_LONG_BYTES: Final = 8

KIND_TO_PB: Final = {
    MutationKind.APPEND: pb.MutationProto.APPEND,
    MutationKind.INCREMENT: pb.MutationProto.INCREMENT,
    MutationKind.PUT: pb.MutationProto.PUT,
    MutationKind.DELETE: pb.MutationProto.DELETE,
}
KIND_FROM_PB: Final = {int(wire): kind for kind, wire in KIND_TO_PB.items()}

DURABILITY_TO_PB: Final = {
    Durability.USE_DEFAULT: pb.MutationProto.USE_DEFAULT,
    Durability.SKIP_WAL: pb.MutationProto.SKIP_WAL,
    Durability.ASYNC_WAL: pb.MutationProto.ASYNC_WAL,
    Durability.SYNC_WAL: pb.MutationProto.SYNC_WAL,
    Durability.FSYNC_WAL: pb.MutationProto.FSYNC_WAL,
}

_DELETE_TO_PB: Final = {
    CellType.DELETE.value: pb.MutationProto.DELETE_ONE_VERSION,
    CellType.DELETE_COLUMN.value: pb.MutationProto.DELETE_MULTIPLE_VERSIONS,
    CellType.DELETE_FAMILY.value: pb.MutationProto.DELETE_FAMILY,
    CellType.DELETE_FAMILY_VERSION.value: pb.MutationProto.DELETE_FAMILY_VERSION,
}
_DELETE_FROM_PB: Final = {int(wire): code for code, wire in _DELETE_TO_PB.items()}


class CellSource:
    """Cells of a block, handed out in order to the messages that claim them."""

    __slots__ = ("_at", "_batch")

    def __init__(self, batch: CellBatch | None) -> None:
        self._batch = batch if batch is not None else CellBatch()
        self._at = 0

    def take(self, count: int) -> tuple[bytes | None, list[Cell]]:
        """(row, cells) of the next ``count`` cells, which must be of one row."""
        batch, start = self._batch, self._at
        end = start + count
        if count < 0 or end > len(batch):
            raise BadFrameError(f"a mutation of {count} cells; the block has {len(batch) - start}")
        self._at = end
        if not count:
            return None, []
        row = batch.rows[start]
        if batch.rows[start:end].count(row) != count:
            raise IllegalArgumentError(f"a mutation of row {row!r} has cells of other rows")
        cells = zip(
            batch.families[start:end],
            batch.qualifiers[start:end],
            batch.timestamps[start:end],
            batch.types[start:end],
            batch.values[start:end],
            strict=True,
        )
        return row, list(cells)

    def finish(self) -> None:
        """Raises BadFrameError if cells are left that nobody claimed."""
        if self._at != len(self._batch):
            raise BadFrameError(f"{len(self._batch) - self._at} cells belong to no mutation")


def mutation_to_pb(mutation: Mutation) -> pb.MutationProto:
    """The mutation with its cells inside."""
    message = pb.MutationProto(row=mutation.row, mutate_type=KIND_TO_PB[mutation.kind])
    families: dict[bytes, Any] = {}
    for family, qualifier, timestamp, type_code, value in mutation.cells:
        column = families.get(family)
        if column is None:
            column = families[family] = message.column_value.add(family=family).qualifier_value
        column.add(
            qualifier=qualifier,
            value=value,
            timestamp=timestamp,
            delete_type=_DELETE_TO_PB.get(type_code),
        )
    if isinstance(mutation, Delete):
        message.timestamp = mutation.timestamp
    if mutation.durability:
        message.durability = DURABILITY_TO_PB[mutation.durability]
    if mutation.nonce:
        message.nonce = mutation.nonce
    if not mutation.return_results:
        message.attribute.add(name=_RETURN_RESULTS, value=b"\0")
    if mutation.ttl_ms is not None:
        message.attribute.add(name=_TTL, value=mutation.ttl_ms.to_bytes(8, "big"))
    times = time_range_to_pb(mutation.time_range)
    if times is not None:
        message.time_range.CopyFrom(times)
    return message


def mutation_from_pb(message: pb.MutationProto, cells: CellSource) -> Mutation:
    """The mutation of a message and of the cells of the block that it claims.

    Raises BadFrameError if message and block disagree, else IllegalArgumentError. Rows,
    families, tags and sizes are the region's to check.
    """
    row = message.row if message.HasField("row") else None
    found = _inline_cells(message) if message.column_value else []
    if message.associated_cell_count:
        block_row, block_cells = cells.take(message.associated_cell_count)
        if row is None:
            row = block_row
        elif block_row != row:
            raise IllegalArgumentError(f"a mutation of row {row!r} has cells of {block_row!r}")
        found += block_cells
    if row is None:
        raise IllegalArgumentError("a mutation names no row")
    mutation = _empty_mutation(message, row)
    mutation.cells = found
    mutation.nonce = message.nonce
    mutation.time_range = time_range_from_pb(message)
    for attribute in message.attribute:
        if attribute.name == _RETURN_RESULTS:
            mutation.return_results = attribute.value != b"\0"
        elif attribute.name == _TTL:
            mutation.ttl_ms = _ttl_of(attribute.value)
    return mutation


def _ttl_of(value: bytes) -> int | None:
    """HBase's greatest number says "none"."""
    if len(value) != _LONG_BYTES:
        raise IllegalArgumentError(f"a time to live has 8 bytes, not {len(value)}")
    ttl_ms = int.from_bytes(value, "big", signed=True)
    if ttl_ms < 0:
        raise IllegalArgumentError(f"a time to live of {ttl_ms} ms")
    return None if ttl_ms == LATEST_TIMESTAMP else ttl_ms


def _empty_mutation(message: pb.MutationProto, row: bytes) -> Mutation:
    kind = KIND_FROM_PB[message.mutate_type]
    durability = Durability(message.durability)
    if kind is MutationKind.DELETE:
        return Delete(row, stamp_of(message), durability=durability)
    return Mutation(kind, row, [], durability)


def stamp_of(message: pb.MutationProto) -> int:
    """The timestamp of what has none of its own."""
    return message.timestamp if message.HasField("timestamp") else LATEST_TIMESTAMP


def _inline_cells(message: pb.MutationProto) -> list[Cell]:
    stamp = stamp_of(message)
    put = CellType.PUT.value
    is_delete = message.mutate_type == pb.MutationProto.DELETE
    cells: list[Cell] = []
    for column in message.column_value:
        family = column.family
        for one in column.qualifier_value:
            if is_delete or one.HasField("delete_type"):
                type_code = _DELETE_FROM_PB[one.delete_type]
            else:
                type_code = put
            timestamp = one.timestamp if one.HasField("timestamp") else stamp
            value = tagged(one.value, one.tags) if one.tags else one.value
            cells.append((family, one.qualifier, timestamp, type_code, value))
    return cells


def condition_to_pb(condition: Condition) -> pb.Condition:
    if condition.filter is not None:
        return pb.Condition(
            row=condition.row,
            filter=filter_to_pb(condition.filter),
            time_range=time_range_to_pb(condition.time_range),
        )
    comparable = pb.ByteArrayComparable(value=condition.value)
    comparator = pb.BinaryComparator(comparable=comparable).SerializeToString()
    return pb.Condition(
        row=condition.row,
        family=condition.family,
        qualifier=condition.qualifier,
        compare_type=pb.CompareType.Name(condition.operator),
        comparator=pb.Comparator(name=BINARY_COMPARATOR, serialized_comparator=comparator),
        time_range=time_range_to_pb(condition.time_range),
    )


def condition_from_pb(message: pb.Condition) -> Condition:
    """Raises BadFrameError, UnsupportedOperationError or what filter_from_pb raises.

    Of comparators only BinaryComparator is taken: HBase compares the bytes of any other as if
    it were that one, which is never what was meant.
    """
    if message.HasField("filter"):
        return Condition(
            bytes(message.row),
            b"",
            b"",
            CompareOperator.EQUAL,
            None,
            time_range_from_pb(message),
            filter_from_pb(message.filter),
        )
    if message.compare_type == pb.NO_OP:
        raise UnsupportedOperationError("the comparison NO_OP is not supported")
    if message.comparator.name != BINARY_COMPARATOR:
        raise UnsupportedOperationError(f"{message.comparator.name} is not supported")
    comparator = parsed(pb.BinaryComparator, message.comparator.serialized_comparator)
    comparable = comparator.comparable
    return Condition(
        bytes(message.row),
        bytes(message.family),
        bytes(message.qualifier),
        CompareOperator(message.compare_type),
        bytes(comparable.value) if comparable.HasField("value") else None,
        time_range_from_pb(message),
    )


def mutate_request(
    region: bytes, mutation: Mutation, condition: Condition | None = None, nonce_group: int = 0
) -> pb.MutateRequest:
    """One mutation of a row of the region of this full name, its cells in the message."""
    request = pb.MutateRequest(region=region_specifier(region), mutation=mutation_to_pb(mutation))
    if condition is not None:
        request.condition.CopyFrom(condition_to_pb(condition))
    if nonce_group:
        request.nonce_group = nonce_group
    return request


def mutate_from_request(
    request: pb.MutateRequest, cells: bytes, codec: CellCodec | None
) -> tuple[Mutation, Condition | None]:
    """What a Mutate asks for. Raises what mutation_from_pb and condition_from_pb raise."""
    source = cell_source(cells, codec)
    mutation = mutation_from_pb(request.mutation, source)
    source.finish()
    condition = condition_from_pb(request.condition) if request.HasField("condition") else None
    return mutation, condition


def cell_source(cells: bytes, codec: CellCodec | None) -> CellSource:
    if not cells:
        return CellSource(None)
    if codec is None:
        raise BadFrameError("a cell block on a connection without a codec")
    return CellSource(codec.decode(cells))


def mutate_reply(
    result: CellBatch | None, codec: CellCodec | None, *, processed: bool | None = None
) -> Reply:
    """The answer to a Mutate; ``processed`` says whether its condition held."""
    response = pb.MutateResponse()
    if processed is not None:
        response.processed = processed
    if result is not None:
        response.result.CopyFrom(result_to_pb(result, codec))
    return Reply(response, result if codec is not None and result else None)
