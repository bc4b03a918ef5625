from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import (
    BadFrameError,
    IllegalArgumentError,
    NotServingRegionError,
    RegionMovedError,
)
from raybase.model import LATEST_TIMESTAMP, CellType, Durability
from raybase.operations import (
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Mutation,
    Put,
)
from raybase.rpc import convert
from raybase.rpc.codec import COLUMNAR, KEY_VALUE, CellCodec
from raybase.rpc.multi import RegionAnswer, RegionBatch
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.storage.cells import CellBatch

REGION = b"t,,1.0123456789abcdef0123456789abcdef."
OTHER = b"t,m,1.1123456789abcdef0123456789abcdef."


def plain(operation: Mutation | Get) -> object:
    if isinstance(operation, Get):
        return operation
    timestamp = operation.timestamp if isinstance(operation, Delete) else None
    return operation.kind, operation.row, operation.cells, operation.durability, timestamp


def arrived(batches: list[RegionBatch]) -> tuple[pb.MultiRequest, list[RegionBatch]]:
    request, cells = convert.multi_request(batches)
    request = pb.MultiRequest.FromString(request.SerializeToString())
    return request, convert.multi_from_request(request, cells, COLUMNAR)


def answered(
    request: pb.MultiRequest,
    batches: list[RegionBatch],
    answers: list[RegionAnswer],
    codec: CellCodec = COLUMNAR,
) -> tuple[pb.MultiResponse, list[RegionAnswer]]:
    reply = convert.multi_reply(request, answers, codec)
    cells = None if reply.cells is None else codec.decode(codec.encode(reply.cells))
    response = pb.MultiResponse.FromString(reply.message.SerializeToString())
    return response, convert.multi_answers(response, cells, batches)


def row_of(row: bytes, *values: bytes) -> CellBatch:
    batch = CellBatch()
    for value in values:
        batch.append(row, b"f", b"q", 5, CellType.PUT.value, value)
    if values:
        batch.end_row()
    return batch


puts = st.builds(
    lambda row, cells, durability: _put(row, cells, durability),
    st.binary(min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from([b"f", b"g"]), st.binary(max_size=3)), max_size=4),
    st.sampled_from([Durability.USE_DEFAULT, Durability.SKIP_WAL]),
)
deletes = st.builds(
    lambda row, timestamp, part: _delete(row, timestamp, part=part),
    st.binary(min_size=1, max_size=4),
    st.sampled_from([5, LATEST_TIMESTAMP]),
    st.booleans(),
)
others = st.sampled_from(
    [
        Get(b"r", {b"f": (b"q",)}),
        Increment(b"r").add(b"f", b"q", 3),
        Append(b"r").add(b"f", b"q", b"tail"),
    ]
)
operations = st.lists(st.one_of(puts, deletes, others), min_size=1, max_size=12)


def _put(row: bytes, cells: list[tuple[bytes, bytes]], durability: Durability) -> Put:
    put = Put(row, durability=durability)
    for family, text in cells:
        put.add(family, text, text * 3)
    return put


def _delete(row: bytes, timestamp: int, *, part: bool) -> Delete:
    delete = Delete(row, timestamp)
    return delete.column(b"f", b"q", 3) if part else delete


@given(st.lists(operations, min_size=1, max_size=3))
@settings(max_examples=80)
def test_any_batches_survive(lists: list[list[Mutation | Get]]) -> None:
    batches = [RegionBatch(REGION, one) for one in lists]
    _, found = arrived(batches)
    assert [[plain(one) for one in batch.operations] for batch in found] == [
        [plain(one) for one in batch.operations] for batch in batches
    ]


def test_puts_on_many_regions_travel_as_one_action_each() -> None:
    batches = [
        RegionBatch(region, [Put(b"%d" % index).add(b"f", b"q", b"v") for index in range(1000)])
        for region in (REGION, OTHER)
    ]
    request, found = arrived(batches)
    assert [len(action.action) for action in request.regionAction] == [1, 1]
    assert request.ByteSize() < 200
    assert [len(batch.operations) for batch in found] == [1000, 1000]
    assert [batch.encoded_name for batch in found] == [
        "0123456789abcdef0123456789abcdef",
        "1123456789abcdef0123456789abcdef",
    ]
    answers = [RegionAnswer([None] * 1000), RegionAnswer([None] * 1000)]
    response, back = answered(request, batches, answers)
    assert response.ByteSize() < 50
    assert [answer.outcomes for answer in back] == [[None] * 1000] * 2


def test_row_mutations_and_conditions_survive() -> None:
    condition = Condition(b"r", b"f", b"q", CompareOperator.EQUAL, None)
    changes: list[Mutation | Get] = [Put(b"r").add(b"f", b"q", b"v"), Delete(b"r").family(b"g")]
    batches = [RegionBatch(REGION, changes, atomic=True, condition=condition)]
    request, (found,) = arrived(batches)
    assert found.atomic
    assert found.condition == condition
    assert [plain(one) for one in found.operations] == [plain(one) for one in changes]
    response, (back,) = answered(request, batches, [RegionAnswer([None, None], processed=False)])
    assert back.processed is False
    assert response.HasField("processed")


@pytest.mark.parametrize("codec", [KEY_VALUE, COLUMNAR])
def test_every_outcome_finds_its_operation(codec: CellCodec) -> None:
    batches = [
        RegionBatch(
            REGION,
            [
                Get(b"a"),
                Put(b"b").add(b"f", b"q", b"v"),
                Put(b"c").add(b"f", b"q", b"v"),
                Get(b"d"),
                Increment(b"e").add(b"f", b"q", 1),
                Get(b"g", existence_only=True),
                Get(b"h", existence_only=True),
            ],
        ),
        RegionBatch(OTHER, [Get(b"m")]),
        RegionBatch(OTHER, [Get(b"n"), Get(b"o")]),
    ]
    request, _ = convert.multi_request(batches)
    moved = RegionMovedError("h", 1, 2, 3)
    answers = [
        RegionAnswer(
            [
                row_of(b"a", b"1", b"2"),
                None,
                NotServingRegionError("gone"),
                row_of(b"d"),
                row_of(b"e", b"8"),
                row_of(b"g", b"1"),
                row_of(b"h"),
            ]
        ),
        RegionAnswer(error=moved),
        RegionAnswer([row_of(b"n", b"4"), row_of(b"o", b"5")]),
    ]
    _, (first, second, third) = answered(request, batches, answers, codec)

    def values(outcome: object) -> list[bytes]:
        assert isinstance(outcome, CellBatch)
        return outcome.values

    a, b, c, d, e, g, h = first.outcomes
    assert [values(a), values(d), values(e)] == [[b"1", b"2"], [], [b"8"]]
    assert b is None
    assert isinstance(c, NotServingRegionError)
    assert str(c) == "gone"
    assert (bool(g), bool(h)) == (True, False)
    assert second.error is not None
    assert second.error.args == moved.args
    assert [values(one) for one in third.outcomes] == [[b"4"], [b"5"]]


def java_multi() -> tuple[pb.MultiRequest, CellBatch]:
    """As HBase's Java client sends it: an action for each operation, cells in KeyValues."""
    request = pb.MultiRequest()
    action = request.regionAction.add(region=convert.region_specifier(REGION))
    cells = CellBatch()
    for index, row in enumerate((b"a", b"b")):
        put = action.action.add(index=index).mutation
        put.row = row
        put.mutate_type = pb.MutationProto.PUT
        put.associated_cell_count = 2
        for qualifier in (b"x", b"y"):
            cells.append(row, b"f", qualifier, LATEST_TIMESTAMP, CellType.PUT.value, b"v")
        cells.end_row()
    delete = action.action.add(index=2).mutation
    delete.row = b"c"
    delete.mutate_type = pb.MutationProto.DELETE
    delete.timestamp = 9
    action.action.add(index=3, get=pb.Get(row=b"d"))
    return request, cells


def test_hbases_own_multi_is_understood_and_answered_action_by_action() -> None:
    request, cells = java_multi()
    (batch,) = convert.multi_from_request(request, KEY_VALUE.encode(cells), KEY_VALUE)
    a, b, c, d = batch.operations
    assert isinstance(a, Mutation)
    assert isinstance(b, Mutation)
    assert (a.row, len(a.cells), b.row, len(b.cells)) == (b"a", 2, b"b", 2)
    assert isinstance(c, Delete)
    assert c.timestamp == 9
    assert d == Get(b"d")
    answer = RegionAnswer([None, None, None, row_of(b"d", b"1")])
    reply = convert.multi_reply(request, [answer], KEY_VALUE)
    results = reply.message.regionActionResult[0].resultOrException
    assert [one.index for one in results] == [0, 1, 2, 3]
    assert all(one.HasField("result") for one in results)
    assert not any(one.HasField("row_count") for one in results)
    assert results[3].result.associated_cell_count == 1


def test_cells_that_belong_to_no_mutation_are_refused() -> None:
    request, cells = java_multi()
    cells.append(b"z", b"f", b"q", 1, 4, b"v")
    cells.end_row()
    with pytest.raises(BadFrameError, match="belong to no mutation"):
        convert.multi_from_request(request, KEY_VALUE.encode(cells), KEY_VALUE)


def test_a_block_without_a_codec_is_refused() -> None:
    with pytest.raises(BadFrameError):
        convert.multi_from_request(pb.MultiRequest(), b"cells", None)


def run_of(count: int, kind: int = pb.MutationProto.PUT) -> pb.MultiRequest:
    request = pb.MultiRequest()
    action = request.regionAction.add(region=convert.region_specifier(REGION))
    action.action.add(index=0).mutation.row_count = count
    action.action[0].mutation.mutate_type = kind
    return request


@pytest.mark.parametrize("count", [0, 1, 3, 2**32 - 1])
def test_a_run_and_its_block_must_agree_on_the_rows(count: int) -> None:
    puts: list[Mutation | Get] = [Put(row).add(b"f", b"q", b"v") for row in (b"a", b"b")]
    _, cells = convert.multi_request([RegionBatch(REGION, puts)])
    with pytest.raises(BadFrameError, match="run"):
        convert.multi_from_request(run_of(count), cells, COLUMNAR)
    with pytest.raises(BadFrameError, match="without a columnar block"):
        convert.multi_from_request(run_of(count), b"", COLUMNAR)


def test_a_run_of_increments_is_refused() -> None:
    _, cells = convert.multi_request([RegionBatch(REGION, [Put(b"a").add(b"f", b"q", b"v")])])
    with pytest.raises(BadFrameError, match="increment"):
        convert.multi_from_request(run_of(1, pb.MutationProto.INCREMENT), cells, COLUMNAR)


def test_an_empty_action_is_refused() -> None:
    request = pb.MultiRequest()
    request.regionAction.add(region=convert.region_specifier(REGION)).action.add(index=0)
    with pytest.raises(BadFrameError):
        convert.multi_from_request(request, b"", COLUMNAR)


def test_a_delete_of_an_impossible_row_is_refused() -> None:
    request = run_of(1, pb.MutationProto.DELETE)
    _, cells = convert.multi_request([RegionBatch(REGION, [Mutation(Put(b"a").kind, b"")])])
    with pytest.raises(IllegalArgumentError):
        convert.multi_from_request(request, cells, COLUMNAR)


def test_an_answer_to_another_request_is_refused() -> None:
    batches = [RegionBatch(REGION, [Get(b"a")])]
    with pytest.raises(BadFrameError, match="0 answers to 1"):
        convert.multi_answers(pb.MultiResponse(), None, batches)
    response = pb.MultiResponse()
    response.regionActionResult.add().resultOrException.add(index=1).result.exists = True
    with pytest.raises(BadFrameError, match="operation 1 of 1"):
        convert.multi_answers(response, None, batches)
    response = pb.MultiResponse()
    response.regionActionResult.add()
    with pytest.raises(BadFrameError, match="block"):
        convert.multi_answers(response, row_of(b"a", b"1"), batches)
