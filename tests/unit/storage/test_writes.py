"""Writes: checked whole, numbered, applied once, seen when durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from raybase.config import StoreConfig
from raybase.errors import (
    IllegalArgumentError,
    InvalidRequestError,
    NoSuchFamilyError,
    RegionTooBusyError,
    WrongRegionError,
)
from raybase.model import (
    META_REGION,
    META_TABLE,
    CellType,
    Durability,
    FamilyDescriptor,
    RegionInfo,
    TableName,
)
from raybase.operations import (
    ALL_VERSIONS,
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Mutation,
    MutationKind,
    Put,
)
from raybase.storage import wal
from raybase.storage.nonces import NONCE_BYTES

F, G = FamilyDescriptor(b"f", max_versions=5), FamilyDescriptor(b"g", max_versions=5)


@pytest.fixture
def engine(make_engine: Any) -> Any:
    return make_engine(F, G)


def put(row: bytes = b"r", value: bytes = b"v", *at: int) -> Put:
    return Put(row).add(b"f", b"q", value, *at)


def number(value: bytes | None) -> int:
    assert value is not None
    return int.from_bytes(value, "big", signed=True)


def test_a_write_is_not_seen_before_it_is_durable(engine: Any) -> None:
    first = engine.region.write([put(value=b"1")], 5)
    second = engine.region.write([put(b"s", b"2")], 5)
    assert engine.value(b"r") is None
    engine.region.complete(second)
    assert engine.value(b"s") is None, "writes become visible in order"
    engine.region.complete(first)
    assert (engine.value(b"r"), engine.value(b"s")) == (b"1", b"2")
    assert engine.region.read_point == second.sequence_id


WRONG: list[tuple[type[Exception], Callable[[], Mutation]]] = [
    (NoSuchFamilyError, lambda: Put(b"r").add(b"x", b"q", b"v")),
    (NoSuchFamilyError, lambda: Delete(b"r").column(b"x", b"q")),
    (NoSuchFamilyError, lambda: Delete(b"r").version(b"x", b"q")),
    (WrongRegionError, lambda: put(b"a")),
    (WrongRegionError, lambda: put(b"z")),
    (InvalidRequestError, lambda: put(value=b"v" * 1000)),
    (InvalidRequestError, lambda: Put(b"r").add(b"f", b"q" * 1000, b"")),
    (IllegalArgumentError, lambda: Put(b"r")),
    (IllegalArgumentError, lambda: Mutation(MutationKind.PUT, b"r" * 32768, put().cells)),
    (IllegalArgumentError, lambda: Mutation(MutationKind.PUT, b"", put().cells)),
    (IllegalArgumentError, lambda: Mutation(MutationKind.PUT, b"r", [(b"f", b"q", -1, 4, b"")])),
    (IllegalArgumentError, lambda: Mutation(MutationKind.PUT, b"r", [(b"f", b"q", 1, 8, b"")])),
    (IllegalArgumentError, lambda: Mutation(MutationKind.DELETE, b"r", [(b"f", b"q", 1, 4, b"")])),
    (IllegalArgumentError, lambda: Mutation(MutationKind.DELETE, b"r", [(b"f", b"q", -9, 8, b"")])),
    (IllegalArgumentError, lambda: Increment(b"r").add(b"f", b"q")),
]


@pytest.mark.parametrize(("error", "wrong"), WRONG)
def test_one_wrong_mutation_and_nothing_is_applied(
    make_engine: Any, error: type[Exception], wrong: Callable[[], Mutation]
) -> None:
    info = RegionInfo(TableName.parse("t"), b"b", b"y", 1)
    engine = make_engine(F, G, info=info, config=StoreConfig(cell_bytes_max=500))
    before = engine.region.last_sequence_id
    with pytest.raises(error) as caught:
        engine.region.write([put(b"m"), wrong()], 5)
    assert type(caught.value) is error
    assert engine.region.last_sequence_id == before
    assert engine.region.memstore_bytes == 0
    assert engine.value(b"m") is None


def test_a_full_region_pushes_back_and_keeps_reading(make_engine: Any) -> None:
    engine = make_engine(F, config=StoreConfig(flush_bytes=10_000, flush_block_multiplier=2))

    def fill() -> None:
        for written in range(1000):
            engine.write(put(b"%d" % written, b"v" * 100))

    with pytest.raises(RegionTooBusyError):
        fill()
    assert engine.region.wants_flush
    assert 20_000 < engine.region.memstore_bytes < 21_000
    assert engine.value(b"0") == b"v" * 100
    engine.flush()
    engine.write(put())


def test_memory_is_counted_in_bytes_really_taken(make_engine: Any) -> None:
    import tracemalloc

    engine = make_engine(F)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for base in range(0, 20_000, 500):
        engine.region.complete(
            engine.region.write(
                [put(b"%020d" % (base + one), b"%0100d" % one) for one in range(500)], 5
            )
        )
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.8 < engine.region.memstore_bytes / taken < 1.25


# Timestamps and deletes


def test_cells_without_a_timestamp_get_the_servers_and_it_never_goes_back(engine: Any) -> None:
    for now_ms in (1000, 900, 1100):
        engine.now_ms = now_ms
        engine.write(put(value=b"%d" % now_ms))
    batch = engine.get(Get(b"r", max_versions=ALL_VERSIONS))
    assert batch.timestamps == [1100, 1000]
    assert batch.values == [b"1100", b"900"], "the later write of a timestamp stands for it"


def test_a_clients_timestamp_never_raises_the_servers(engine: Any) -> None:
    engine.now_ms = 1000
    engine.write(put(b"r", b"future", 10**15))
    engine.write(put(b"s"))
    assert engine.get(Get(b"s")).timestamps == [1000]


def test_a_put_after_a_delete_in_the_same_millisecond_stays(engine: Any) -> None:
    for round_ in range(5):
        engine.write(put(value=b"%d" % round_))
        assert engine.value(b"r") == b"%d" % round_
        engine.write(Delete(b"r"))
        assert engine.value(b"r") is None


def test_a_tombstone_hides_older_puts_that_come_later_until_a_major_compaction(
    engine: Any,
) -> None:
    engine.write(Delete(b"r").column(b"f", b"q", 10))
    engine.write(put(b"r", b"old", 10))
    assert engine.value(b"r") is None
    engine.flush()
    assert engine.value(b"r") is None
    engine.write(put(b"r", b"new", 11))
    assert engine.value(b"r") == b"new"
    engine.flush()
    engine.compact(b"f", major=True)
    engine.write(put(b"r", b"again", 9))
    assert engine.get(Get(b"r", max_versions=9)).values == [b"new", b"again"]


def test_a_delete_of_the_newest_version_uncovers_the_one_before(engine: Any) -> None:
    for at in (1, 2, 3):
        engine.write(put(b"r", b"%d" % at, at))
    engine.write(Delete(b"r").version(b"f", b"q"))
    assert engine.value(b"r") == b"2"
    engine.flush()
    engine.write(Delete(b"r").version(b"f", b"q").version(b"f", b"q"))
    assert engine.value(b"r") is None


def test_a_row_delete_takes_every_family_up_to_its_time(engine: Any) -> None:
    engine.write(Put(b"r").add(b"f", b"", b"1", 5).add(b"g", b"q", b"2", 9))
    engine.write(Delete(b"r", 7))
    assert engine.get(Get(b"r")).values == [b"2"]


def test_all_kinds_of_deletes_hide_what_they_name(engine: Any) -> None:
    def rewrite(delete: Delete) -> list[bytes]:
        engine.write(Delete(b"r", 10))
        engine.flush()
        for family in (b"f", b"g"):
            engine.compact(family, major=True)
        for at in (1, 2, 3):
            engine.write(
                Put(b"r").add(b"f", b"a", b"a%d" % at, at).add(b"f", b"b", b"b%d" % at, at)
            )
        engine.write(delete)
        return list(engine.get(Get(b"r", max_versions=9)).values)

    assert rewrite(Delete(b"r").family(b"f", 2)) == [b"a3", b"b3"]
    assert rewrite(Delete(b"r").family_version(b"f", 2)) == [b"a3", b"a1", b"b3", b"b1"]
    assert rewrite(Delete(b"r").column(b"f", b"a", 2)) == [b"a3", b"b3", b"b2", b"b1"]
    assert rewrite(Delete(b"r").version(b"f", b"a", 2)) == [b"a3", b"a1", b"b3", b"b2", b"b1"]


# Append, increment, conditions


def test_increments_add_up_and_wrap_as_javas_do(engine: Any) -> None:
    assert number(engine.modify(Increment(b"r").add(b"f", b"c", 5)).results[0].values[0]) == 5
    engine.flush()
    write = engine.modify(Increment(b"r").add(b"f", b"c", -7).add(b"g", b"d", 2))
    assert list(map(number, write.results[0].values)) == [-2, 2]
    engine.modify(Put(b"r").add(b"f", b"c", (2**63 - 1).to_bytes(8, "big")))
    assert number(engine.modify(Increment(b"r").add(b"f", b"c")).results[0].values[0]) == -(2**63)


def test_an_increment_of_what_is_no_counter_changes_nothing(engine: Any) -> None:
    engine.write(Put(b"r").add(b"f", b"c", b"text"))
    with pytest.raises(InvalidRequestError, match="not a counter"):
        engine.modify(Increment(b"r").add(b"g", b"d").add(b"f", b"c"))
    assert engine.get(Get(b"r")).values == [b"text"]


def test_appends_add_to_the_newest_value(engine: Any) -> None:
    engine.modify(Append(b"r").add(b"f", b"q", b"ab"))
    engine.flush()
    write = engine.modify(Append(b"r").add(b"f", b"q", b"c").add(b"f", b"q", b"d"))
    assert write.results[0].values == [b"abcd"]
    assert engine.value(b"r") == b"abcd"


def test_increments_read_what_is_applied_but_not_yet_durable(engine: Any) -> None:
    region = engine.region
    writes = [region.read_modify_write([Increment(b"r").add(b"f", b"c")], 5) for _ in range(3)]
    assert [number(one.results[0].values[0]) for one in writes] == [1, 2, 3]
    assert engine.value(b"r", b"c") is None
    for write in reversed(writes):
        region.complete(write)
    assert number(engine.value(b"r", b"c")) == 3


def test_an_increment_over_a_future_timestamp_is_seen(engine: Any) -> None:
    engine.write(Put(b"r").add(b"f", b"c", (5).to_bytes(8, "big"), 10**14))
    engine.modify(Increment(b"r").add(b"f", b"c"))
    assert number(engine.value(b"r", b"c")) == 6


def condition(operator: CompareOperator, value: bytes | None, row: bytes = b"r") -> Condition:
    return Condition(row, b"f", b"q", operator, value)


OPERATORS = [
    (CompareOperator.LESS, "a", True), (CompareOperator.LESS, "m", False),
    (CompareOperator.LESS_OR_EQUAL, "m", True), (CompareOperator.LESS_OR_EQUAL, "z", False),
    (CompareOperator.EQUAL, "m", True), (CompareOperator.EQUAL, "a", False),
    (CompareOperator.NOT_EQUAL, "a", True), (CompareOperator.NOT_EQUAL, "m", False),
    (CompareOperator.GREATER_OR_EQUAL, "m", True), (CompareOperator.GREATER_OR_EQUAL, "a", False),
    (CompareOperator.GREATER, "z", True), (CompareOperator.GREATER, "m", False),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "given", "expected"), OPERATORS)
def test_a_condition_compares_the_given_with_the_stored_value(
    engine: Any, operator: CompareOperator, given: str, expected: bool
) -> None:
    engine.write(put(value=b"m"))
    write = engine.modify(put(value=b"new"), condition=condition(operator, given.encode()))
    assert write.applied == write.succeeded == expected
    assert engine.value(b"r") == (b"new" if expected else b"m")
    assert not engine.modify(put(b"s"), condition=condition(operator, b"m", b"s")).applied, (
        "no value compares with none stored"
    )


@pytest.mark.parametrize("nothing", [None, b""])
def test_a_condition_on_nothing_is_about_the_columns_absence(
    engine: Any, nothing: bytes | None
) -> None:
    absent = condition(CompareOperator.EQUAL, nothing)
    present = condition(CompareOperator.NOT_EQUAL, nothing)
    assert not engine.modify(put(value=b"1"), condition=present).applied
    assert engine.modify(put(value=b"2"), condition=absent).applied
    assert not engine.modify(put(value=b"3"), condition=absent).applied
    assert engine.modify(put(value=b"4"), condition=present).applied
    assert engine.value(b"r") == b"4"


def test_what_was_not_applied_is_answered_after_what_it_was_decided_on(engine: Any) -> None:
    pending = engine.region.write([put(value=b"1")], 5)
    refused = engine.region.read_modify_write(
        [put(value=b"2")], 5, condition(CompareOperator.EQUAL, None)
    )
    assert not refused.applied
    assert refused.record == b""
    assert refused.sequence_id == pending.sequence_id > engine.region.read_point


def test_a_checked_put_is_not_hidden_by_the_value_it_was_checked_on(engine: Any) -> None:
    engine.write(put(b"r", b"1", 10**14))
    engine.modify(put(value=b"2"), condition=condition(CompareOperator.EQUAL, b"1"))
    assert engine.value(b"r") == b"2"


def test_row_mutations_are_one_write(engine: Any) -> None:
    engine.write(Put(b"r").add(b"f", b"old", b"x", 1))
    write = engine.region.read_modify_write(
        [
            Put(b"r").add(b"g", b"q", b"1"),
            Delete(b"r").column(b"f", b"old"),
            Increment(b"r").add(b"f", b"c", 3),
        ],
        5,
    )
    assert engine.get(Get(b"r")).values == [b"x"]
    engine.finish(write)
    assert engine.get(Get(b"r")).values == [(3).to_bytes(8, "big"), b"1"]
    assert [result is None for result in write.results] == [True, True, False]


def test_an_atomic_write_of_two_rows_is_refused(engine: Any) -> None:
    with pytest.raises(IllegalArgumentError):
        engine.modify(put(b"r"), put(b"s"))
    with pytest.raises(IllegalArgumentError):
        engine.modify(put(b"r"), condition=condition(CompareOperator.EQUAL, None, b"s"))


# Nonces


def increment(nonce: int, amount: int = 1) -> Increment:
    one = Increment(b"r").add(b"f", b"c", amount)
    one.nonce = nonce
    return one


@pytest.mark.parametrize("between", ["nothing", "flush", "replay", "major"])
def test_a_retry_is_not_applied_again_whatever_came_between(engine: Any, between: str) -> None:
    first = engine.modify(increment(7), nonce_group=1)
    engine.modify(increment(8, 10), nonce_group=1)
    if between in ("flush", "major"):
        engine.flush()
        engine.log.clear()
    if between == "major":
        engine.compact(b"f", major=True)
    if between != "nothing":
        engine.open()
    retry = engine.modify(increment(7), nonce_group=1)
    assert retry.succeeded
    assert not retry.applied
    assert retry.record == b""
    assert retry.sequence_id == first.sequence_id
    if between in ("nothing", "replay"):
        assert retry.results[0].values == first.results[0].values
    assert number(engine.value(b"r", b"c")) == 11
    assert engine.modify(increment(7), nonce_group=2).applied, "another client's nonce"


def test_a_checked_put_is_recognised_although_its_condition_no_longer_holds(engine: Any) -> None:
    def attempt() -> Any:
        one = put(value=b"mine")
        one.nonce = 5
        return engine.modify(one, condition=condition(CompareOperator.EQUAL, None))

    assert attempt().applied
    again = attempt()
    assert again.succeeded
    assert not again.applied


def test_a_nonce_that_is_not_durable_is_in_no_file_and_stays_for_the_next(engine: Any) -> None:
    engine.modify(increment(7))
    plan = engine.region.begin_flush(engine.now_ms)
    engine.region.read_modify_write([increment(8)], engine.now_ms)
    assert list(plan.nonces.operations) == [(0, 7)]
    engine.region.abort_flush(plan)
    assert not engine.modify(increment(7)).applied
    assert not engine.modify(increment(8)).applied
    again = engine.region.begin_flush(engine.now_ms)
    assert list(again.nonces.operations) == [(0, 7), (0, 8)]


def test_a_retry_during_a_flush_is_not_applied_again(engine: Any) -> None:
    engine.modify(increment(7))
    engine.region.begin_flush(engine.now_ms)
    assert not engine.modify(increment(7)).applied


def test_nonces_count_as_memory_until_they_are_flushed(engine: Any) -> None:
    engine.modify(increment(0))
    without = engine.region.memstore_bytes
    engine.flush()
    engine.modify(increment(7))
    assert engine.region.memstore_bytes == without + NONCE_BYTES
    engine.flush()
    assert engine.region.memstore_bytes == 0


def test_another_owner_gets_the_nonces_that_are_in_no_file(engine: Any, make_engine: Any) -> None:
    engine.modify(increment(6))
    engine.flush()
    done = engine.modify(increment(7))
    target = make_engine()
    target.disk = engine.disk
    target.manifest = engine.region.next_manifest()
    target.log = list(engine.region.memstore_records())
    assert [wal.decode_record(one).nonce for one in target.log] == [7, 0]
    target.open()
    retries = [target.modify(increment(nonce)) for nonce in (6, 7)]
    assert not any(one.applied for one in retries)
    assert retries[1].sequence_id == done.sequence_id


def test_a_manifest_is_as_large_after_many_increments_as_after_few(engine: Any) -> None:
    sizes = []
    for number in range(1, 3001):
        engine.modify(increment(number))
        if number in (3, 3000):
            engine.flush()
            sizes.append(len(engine.manifest.encode()) - len(str(engine.manifest.files)))
    engine.open()
    assert not engine.modify(increment(1)).applied
    assert not engine.modify(increment(2999)).applied
    assert len(engine.manifest.nonce_files) == 1
    assert abs(sizes[1] - sizes[0]) < 200


# Durability and the log


def test_the_strongest_durability_of_a_batch_counts_and_the_log_holds_the_cells(
    engine: Any,
) -> None:
    weak = Put(b"r", durability=Durability.ASYNC_WAL).add(b"f", b"q", b"1")
    assert engine.region.write([weak], 5).durability == Durability.ASYNC_WAL
    write = engine.region.write([weak, put(b"s")], 5)
    assert write.durability == Durability.SYNC_WAL
    record = wal.decode_record(write.record)
    assert record.region == engine.info.encoded_name
    assert record.table == engine.info.table
    assert record.sequence_id == write.sequence_id
    assert [cells.family for cells in record.families] == [b"f"]
    assert record.families[0].values == [b"1", b"v"]


def test_without_a_log_nothing_is_written_to_it(engine: Any) -> None:
    write = engine.region.write([Put(b"r", durability=Durability.SKIP_WAL).add(b"f", b"q", b"")], 5)
    assert write.record == b""
    assert write.applied


def test_hbase_meta_is_always_logged(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"info"), info=META_REGION)
    one = Put(b"t,,1", durability=Durability.SKIP_WAL).add(b"info", b"q", b"")
    assert engine.table.name == META_TABLE
    assert engine.region.write([one], 5).durability == Durability.SYNC_WAL


def test_the_log_brings_back_what_no_file_holds_in_any_order_and_twice(engine: Any) -> None:
    for value in range(5):
        engine.write(put(value=b"%d" % value), put(b"r%d" % value))
        if value == 2:
            engine.flush()
    engine.write(Delete(b"r1"))
    expected = engine.get(Get(b"r", max_versions=9)).values
    last = engine.region.last_sequence_id
    engine.log = engine.log[::-1] + engine.log
    engine.open()
    assert engine.get(Get(b"r", max_versions=9)).values == expected
    assert engine.value(b"r1") is None
    assert engine.value(b"r4") == b"v"
    assert engine.region.last_sequence_id > last
    engine.now_ms = 0
    engine.write(put(value=b"after"))
    assert engine.value(b"r") == b"after", "time does not go back over a crash"


def test_a_replay_takes_only_the_families_that_are_not_in_files(engine: Any) -> None:
    engine.write(Put(b"r").add(b"f", b"q", b"1").add(b"g", b"q", b"2"))
    engine.flush([b"f"])
    engine.open()
    assert len(engine.region.stores[b"f"].active) == 0
    assert len(engine.region.stores[b"g"].active) == 1
    assert engine.get(Get(b"r")).values == [b"1", b"2"]


def test_the_memstores_travel_to_another_owner(engine: Any, make_engine: Any) -> None:
    for value in range(30):
        engine.write(put(b"r%d" % (value % 4), b"%d" % value, value + 1))
        if value == 10:
            engine.flush()
    engine.region.begin_flush(engine.now_ms)
    engine.modify(increment(3))
    records = list(engine.region.memstore_records())
    target = make_engine(F, G)
    target.disk = engine.disk
    target.manifest = engine.region.next_manifest(owner="target")
    target.log = records
    target.open()
    for row in (b"r", b"r0", b"r1", b"r2", b"r3"):
        asked = Get(row, max_versions=9)
        assert list(target.get(asked).cells()) == list(engine.get(asked).cells())
    assert not target.modify(increment(3)).applied
    assert target.region.last_sequence_id > engine.region.last_sequence_id


def test_types_of_visible_cells_are_puts(engine: Any) -> None:
    engine.write(put())
    assert engine.get(Get(b"r")).types == [CellType.PUT.value]
