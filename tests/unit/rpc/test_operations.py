"""Gets, scans, mutations and conditions between messages and raybase's own words."""

from __future__ import annotations

from typing import TypeVar

import pytest
from google.protobuf.message import Message

from raybase.errors import BadFrameError, IllegalArgumentError, UnsupportedOperationError
from raybase.model import LATEST_TIMESTAMP, CellType, Durability, TimeRange
from raybase.operations import (
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Mutation,
    Put,
    Scan,
)
from raybase.rpc import convert
from raybase.rpc.codec import COLUMNAR, KEY_VALUE, CellCodec
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.storage.cells import CellBatch
from raybase.storage.filters import PrefixFilter
from raybase.storage.filters.language import parse_filter
from raybase.storage.tags import tags_of, ttl_tag

M = TypeVar("M", bound=Message)

REGION = b"t,,1.0123456789abcdef0123456789abcdef."


def again(message: M) -> M:
    """The message as the other side gets it."""
    return type(message).FromString(message.SerializeToString())


@pytest.mark.parametrize(
    "get",
    [
        Get(b"row"),
        Get(b"row", {b"f": None, b"g": (b"", b"q")}, 7, TimeRange(5, 9), existence_only=True),
        Get(b"row", max_versions=2**31 - 1),
    ],
)
def test_a_get_survives(get: Get) -> None:
    request = again(convert.get_request(REGION, get))
    assert request.region.value == REGION
    assert convert.get_from_pb(request.get) == get


@pytest.mark.parametrize(
    "scan",
    [
        Scan(),
        Scan(b"a", b"b", include_start=False, include_stop=True, max_versions=3, limit=10),
        Scan(b"z", b"a", reversed=True, columns={b"f": (b"q",)}, time_range=TimeRange(0, 5)),
        Scan(caching=100, max_result_bytes=4096),
        Scan(
            filter=PrefixFilter(b"a"),
            family_times={b"f": TimeRange(1, 2), b"g": TimeRange(0, 3)},
            store_limit=3,
            store_offset=4,
            batch=5,
            raw=True,
            load_on_demand=False,
            read_uncommitted=True,
            need_cursor=True,
        ),
    ],
)
def test_a_scan_survives(scan: Scan) -> None:
    assert convert.scan_from_request(again(convert.scan_request(REGION, scan))) == scan


def test_a_get_survives_with_all_that_few_gets_want() -> None:
    get = Get(
        b"r",
        {b"f": (b"q",)},
        filter=PrefixFilter(b"a"),
        family_times={b"f": TimeRange(1, 2)},
        store_limit=3,
        store_offset=4,
        load_on_demand=False,
        read_uncommitted=True,
    )
    assert convert.get_from_pb(again(convert.get_to_pb(get))) == get


@pytest.mark.parametrize("with_block", [False, True])
def test_every_part_of_a_row_says_whether_it_goes_on(with_block: bool) -> None:
    batch = CellBatch()
    for row, parts in ((b"a", 3), (b"b", 1), (b"c", 2)):
        for _ in range(parts):
            batch.append(row, b"f", b"q", 1, 4, b"v")
            batch.end_row()
    batch.partial = True
    codec = KEY_VALUE if with_block else None
    response = convert.scan_reply(pb.ScanResponse(), batch, codec).message
    flags = [one.partial for one in response.results] or response.partial_flag_per_result
    assert list(flags) == [True, True, False, False, True, True]


def test_a_family_asked_for_whole_and_in_part_is_asked_for_whole() -> None:
    message = pb.Get(row=b"r")
    message.column.add(family=b"f", qualifier=[b"a"])
    message.column.add(family=b"f")
    message.column.add(family=b"f", qualifier=[b"b"])
    message.column.add(family=b"g", qualifier=[b"a"])
    message.column.add(family=b"g", qualifier=[b"b"])
    assert convert.get_from_pb(message).columns == {b"f": None, b"g": (b"a", b"b")}


def test_what_would_change_the_answer_is_refused_not_left_out() -> None:
    for fields in (
        {"filter": pb.Filter(name="org.apache.hadoop.hbase.filter.OurOwnFilter")},
        {"closest_row_before": True},
    ):
        with pytest.raises(UnsupportedOperationError):
            convert.get_from_pb(pb.Get(row=b"r", **fields))
    with pytest.raises(UnsupportedOperationError):
        convert.scan_from_request(pb.ScanRequest(scan=pb.Scan(filter=pb.Filter(name="x"))))


@pytest.mark.parametrize("row", [b"", b"r" * 32768])
def test_an_impossible_row_is_refused(row: bytes) -> None:
    with pytest.raises(IllegalArgumentError):
        convert.get_from_pb(pb.Get(row=row))


def plain(mutation: Mutation) -> tuple[object, ...]:
    timestamp = mutation.timestamp if isinstance(mutation, Delete) else None
    return (
        mutation.kind,
        mutation.row,
        mutation.cells,
        mutation.durability,
        mutation.nonce,
        mutation.return_results,
        timestamp,
    )


def silent_append() -> Append:
    append = Append(b"r").add(b"f", b"q", b"tail")
    append.return_results = False
    append.nonce = 2**63 + 5
    return append


MUTATIONS = [
    Put(b"r").add(b"f", b"q", b"v").add(b"f", b"", b"", 5).add(b"g", b"q", b"w"),
    Put(b"r", durability=Durability.SKIP_WAL).add(b"f", b"q", b"v"),
    Delete(b"r"),
    Delete(b"r", 17),
    Delete(b"r").family(b"f", 3).family_version(b"f", 4).column(b"f", b"q").version(b"f", b"q", 9),
    Increment(b"r").add(b"f", b"q", -5),
    silent_append(),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.kind)
def test_a_mutation_survives_inside_its_message(mutation: Mutation) -> None:
    request = again(convert.mutate_request(REGION, mutation, nonce_group=9))
    found, condition = convert.mutate_from_request(request, b"", None)
    assert plain(found) == plain(mutation)
    assert condition is None
    assert request.nonce_group == 9


def cells_of(row: bytes, *values: bytes) -> CellBatch:
    batch = CellBatch()
    for value in values:
        batch.append(row, b"f", b"q", LATEST_TIMESTAMP, CellType.PUT.value, value)
    batch.end_row()
    return batch


def gohbase_put(row: bytes | None, count: int) -> pb.MutateRequest:
    """As gohbase sends it: the cells behind the message."""
    request = pb.MutateRequest(region=convert.region_specifier(REGION))
    request.mutation.mutate_type = pb.MutationProto.PUT
    request.mutation.associated_cell_count = count
    if row is not None:
        request.mutation.row = row
    return request


@pytest.mark.parametrize("row", [b"r", None])
def test_a_mutation_may_have_its_cells_in_the_block(row: bytes | None) -> None:
    block = KEY_VALUE.encode(cells_of(b"r", b"1", b"2"))
    found, _ = convert.mutate_from_request(gohbase_put(row, 2), block, KEY_VALUE)
    assert found.row == b"r"
    assert [cell[4] for cell in found.cells] == [b"1", b"2"]


def test_cells_of_another_row_are_refused() -> None:
    block = KEY_VALUE.encode(cells_of(b"s", b"1"))
    with pytest.raises(IllegalArgumentError, match="has cells of"):
        convert.mutate_from_request(gohbase_put(b"r", 1), block, KEY_VALUE)


@pytest.mark.parametrize("count", [1, 3, -1])
def test_a_mutation_and_its_block_must_agree_on_the_cells(count: int) -> None:
    block = KEY_VALUE.encode(cells_of(b"r", b"1", b"2"))
    with pytest.raises(BadFrameError):
        convert.mutate_from_request(gohbase_put(b"r", count), block, KEY_VALUE)


def test_inline_cells_take_the_mutations_timestamp() -> None:
    message = pb.MutationProto(row=b"r", mutate_type=pb.MutationProto.PUT, timestamp=77)
    column = message.column_value.add(family=b"f")
    column.qualifier_value.add(qualifier=b"a", value=b"1")
    column.qualifier_value.add(qualifier=b"b", value=b"2", timestamp=5)
    request = pb.MutateRequest(region=convert.region_specifier(REGION), mutation=message)
    found, _ = convert.mutate_from_request(request, b"", KEY_VALUE)
    assert [cell[2] for cell in found.cells] == [77, 5]


@pytest.mark.parametrize("value", [None, b"", b"v"])
@pytest.mark.parametrize("operator", CompareOperator)
def test_a_condition_survives(value: bytes | None, operator: CompareOperator) -> None:
    condition = Condition(b"r", b"f", b"q", operator, value, TimeRange(1, 2))
    request = again(convert.mutate_request(REGION, Delete(b"r"), condition))
    assert convert.mutate_from_request(request, b"", None)[1] == condition


def test_a_condition_with_a_filter_survives() -> None:
    chosen = parse_filter("PrefixFilter('r') AND ValueFilter(=, 'binary:v')")
    equal = CompareOperator.EQUAL
    condition = Condition(b"r", b"", b"", equal, None, TimeRange(1, 2), filter=chosen)
    assert convert.condition_from_pb(again(convert.condition_to_pb(condition))) == condition


def test_times_to_live_and_ranges_survive() -> None:
    for mutation in (
        Put(b"r", ttl_ms=5).add(b"f", b"q", b"v"),
        Append(b"r", ttl_ms=0, time_range=TimeRange(1, 2)).add(b"f", b"q", b"v"),
        Increment(b"r", time_range=TimeRange(3, 9)).add(b"f", b"q", 1),
    ):
        found, _ = convert.mutate_from_request(
            again(convert.mutate_request(REGION, mutation)), b"", None
        )
        assert (found.ttl_ms, found.time_range) == (mutation.ttl_ms, mutation.time_range)


@pytest.mark.parametrize("value", [b"", b"\0" * 7, b"\xff" * 8])
def test_malformed_times_to_live_are_refused(value: bytes) -> None:
    request = convert.mutate_request(REGION, Put(b"r").add(b"f", b"q", b"v"))
    request.mutation.attribute.add(name="_ttl", value=value)
    with pytest.raises(IllegalArgumentError):
        convert.mutate_from_request(request, b"", None)


def test_hbases_greatest_time_to_live_is_none() -> None:
    request = convert.mutate_request(REGION, Put(b"r").add(b"f", b"q", b"v"))
    request.mutation.attribute.add(name="_ttl", value=(2**63 - 1).to_bytes(8, "big"))
    assert convert.mutate_from_request(request, b"", None)[0].ttl_ms is None


def test_tags_in_a_message_come_with_the_value() -> None:
    request = convert.mutate_request(REGION, Put(b"r").add(b"f", b"q", b"v"))
    request.mutation.column_value[0].qualifier_value[0].tags = ttl_tag(7)
    (cell,) = convert.mutate_from_request(request, b"", None)[0].cells
    assert tags_of(cell[4]) == ttl_tag(7)


def test_other_conditions_are_refused() -> None:
    good = convert.condition_to_pb(Condition(b"r", b"f", b"q", CompareOperator.EQUAL, b"v"))
    other = again(good)
    other.comparator.name = "org.apache.hadoop.hbase.filter.RegexStringComparator"
    none = again(good)
    none.compare_type = pb.NO_OP
    filtered = again(good)
    filtered.filter.name = "x"
    for message in (other, none, filtered):
        with pytest.raises(UnsupportedOperationError):
            convert.condition_from_pb(message)
    broken = again(good)
    broken.comparator.serialized_comparator = b"\xff"
    with pytest.raises(BadFrameError):
        convert.condition_from_pb(broken)


CODECS_OF_A_PEER = [None, KEY_VALUE, COLUMNAR]


def carried(cells: CellBatch | None, codec: CellCodec | None) -> CellBatch | None:
    """A reply's cells after their journey."""
    if cells is None:
        return None
    assert codec is not None
    return codec.decode(codec.encode(cells))


@pytest.mark.parametrize("codec", CODECS_OF_A_PEER)
def test_the_cells_of_a_get_reach_every_peer(codec: CellCodec | None) -> None:
    batch = cells_of(b"r", b"1", b"2")
    reply = convert.get_reply(batch, Get(b"r"), codec)
    response = again(reply.message)
    found = convert.result_batch(response.result, carried(reply.cells, codec))
    assert list(found.cells()) == list(batch.cells())
    assert found.row_ends == [2]
    assert response.result.associated_cell_count == (2 if codec else 0)


@pytest.mark.parametrize("codec", CODECS_OF_A_PEER)
def test_a_get_of_a_row_that_is_not_there_is_an_empty_result(codec: CellCodec | None) -> None:
    reply = convert.get_reply(CellBatch(), Get(b"r"), codec)
    assert reply.cells is None
    assert len(convert.result_batch(reply.message.result, None)) == 0


def test_an_existence_get_sends_no_cells() -> None:
    get = Get(b"r", existence_only=True)
    for batch in (cells_of(b"r", b"1"), CellBatch()):
        reply = convert.get_reply(batch, get, KEY_VALUE)
        assert reply.message.result.exists is bool(len(batch))
        assert reply.cells is None


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("codec", CODECS_OF_A_PEER)
def test_the_rows_of_a_scan_reach_every_peer(codec: CellCodec | None, partial: bool) -> None:
    batch = cells_of(b"a", b"1", b"2")
    for row, value in ((b"b", b"3"), (b"c", b"4")):
        batch.append(row, b"f", b"q", 5, 4, value)
        batch.end_row()
    batch.partial = partial
    reply = convert.scan_reply(pb.ScanResponse(scanner_id=3, more_results=True), batch, codec)
    response = again(reply.message)
    found = convert.scan_batch(response, carried(reply.cells, codec))
    assert list(found.cells()) == list(batch.cells())
    assert found.row_ends == [2, 3, 4]
    assert found.partial is partial
    assert response.scanner_id == 3


def test_hbases_clients_are_told_where_rows_end() -> None:
    batch = cells_of(b"a", b"1", b"2")
    batch.append(b"b", b"f", b"r", 5, 4, b"3")
    batch.end_row()
    batch.partial = True
    response = convert.scan_reply(pb.ScanResponse(), batch, KEY_VALUE).message
    assert list(response.cells_per_result) == [2, 1]
    assert list(response.partial_flag_per_result) == [False, True]


def test_a_scan_answer_whose_counts_do_not_fit_is_refused() -> None:
    response = pb.ScanResponse(cells_per_result=[1])
    with pytest.raises(BadFrameError):
        convert.scan_batch(response, cells_of(b"a", b"1", b"2"))


@pytest.mark.parametrize("codec", CODECS_OF_A_PEER)
def test_the_result_of_a_mutation_reaches_every_peer(codec: CellCodec | None) -> None:
    batch = cells_of(b"r", b"1")
    reply = convert.mutate_reply(batch, codec, processed=True)
    found = convert.result_batch(reply.message.result, carried(reply.cells, codec))
    assert list(found.cells()) == list(batch.cells())
    assert reply.message.processed


def test_a_mutation_without_a_result_is_answered_by_nothing() -> None:
    reply = convert.mutate_reply(None, KEY_VALUE)
    assert reply.message == pb.MutateResponse()
    assert reply.cells is None
