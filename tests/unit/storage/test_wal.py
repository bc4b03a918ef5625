"""The log's bytes: what was durable is read or reported, what was not ends the log."""

from __future__ import annotations

import random
import struct
from itertools import islice, pairwise

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import CorruptionError
from raybase.model import TableName
from raybase.storage.tags import TaggedValue, tags_of, ttl_tag
from raybase.storage.wal import (
    FamilyCells,
    LogIndex,
    WalEncoder,
    WalRecord,
    decode_record,
    encode_log,
    read_log,
)

TABLE = TableName.parse("ns:t")


def record(sequence_id: int, region: str = "r1", cells: int = 2, value: bytes = b"") -> WalRecord:
    keys = [b"key%d-%d" % (sequence_id, number) for number in range(cells)]
    values = [value or b"v" * number for number in range(cells)]
    families = (FamilyCells(b"f", keys, values), FamilyCells(b"g", keys[:1], values[:1]))
    return WalRecord(region, TABLE, sequence_id, 77, families, 5, sequence_id, "cluster")


def log_of(batches: list[list[WalRecord]], *, log_id: int = 9) -> tuple[bytes, list[int]]:
    """A log whose every batch was synced before the next, and where each batch begins."""
    encoder = WalEncoder(log_id)
    data = encoder.begin()
    starts = []
    for batch in batches:
        starts.append(len(data))
        data += encoder.batch([one.encode() for one in batch], len(data))
        assert encoder.offset == len(data)
    return data, starts


BATCHES = [[record(1), record(2, "r2")], [record(3)], [record(4, cells=0), record(5, "r2")]]
RECORDS = [one for batch in BATCHES for one in batch]


def test_what_was_written_is_read() -> None:
    data, _ = log_of(BATCHES)
    assert list(read_log("log", data)) == RECORDS


def test_a_record_of_everything_survives() -> None:
    one = record(2**63 - 1, cells=300, value=bytes(range(256)) * 40)
    assert decode_record(one.encode()) == one


@pytest.mark.parametrize("cells", [1, 2, 300])
def test_tags_come_back_with_the_values_that_had_them(cells: int) -> None:
    keys = [b"key%d" % number for number in range(cells)]
    values = [b"v%d" % number for number in range(cells)]
    values[-1] = TaggedValue(values[-1], ttl_tag(5))
    families = (FamilyCells(b"f", keys, values), FamilyCells(b"g", keys, keys))
    one = WalRecord("r", TABLE, 7, 77, families)
    found = decode_record(one.encode())
    assert found == one
    assert list(map(tags_of, found.families[0].values)) == [b""] * (cells - 1) + [ttl_tag(5)]
    assert not any(map(tags_of, found.families[1].values))


def test_a_torn_tail_ends_the_log_at_every_length() -> None:
    data, starts = log_of(BATCHES)
    whole = {starts[0]: 0, starts[1]: 2, starts[2]: 3, len(data): 5}
    for length in range(len(data)):
        found = list(read_log("log", data[:length]))
        assert found == RECORDS[: len(found)]
        least = max((count for at, count in whole.items() if at <= length), default=0)
        assert len(found) >= least


def test_garbage_or_zeros_behind_the_last_batch_end_the_log() -> None:
    data, _ = log_of(BATCHES)
    for tail in (b"\0" * 5000, random.Random(1).randbytes(5000)):
        assert list(read_log("log", data + tail)) == RECORDS


def test_a_flipped_bit_below_a_durable_offset_is_corruption_with_file_and_offset() -> None:
    data, starts = log_of(BATCHES)
    for at in range(starts[2]):
        broken = bytearray(data)
        broken[at] ^= 0x10
        with pytest.raises(CorruptionError) as caught:
            list(read_log("WALs/s/1", bytes(broken)))
        assert caught.value.path == "WALs/s/1"
        assert caught.value.offset <= at


def test_a_flipped_bit_in_the_last_batch_ends_the_log_before_it() -> None:
    data, starts = log_of(BATCHES)
    for at in range(starts[2], len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x10
        found = list(read_log("log", bytes(broken)))
        assert found == RECORDS[: len(found)]
        assert len(found) >= 3


def test_pages_that_are_zero_stale_or_in_each_others_place_are_corruption() -> None:
    batches = [[record(number, value=bytes([number]) * 400)] for number in range(1, 8)]
    data, starts = log_of(batches)
    size = starts[1] - starts[0]
    assert {b - a for a, b in pairwise([*starts, len(data)])} == {size}
    first, second = slice(starts[1], starts[1] + size), slice(starts[3], starts[3] + size)
    zeroed, stale, swapped = bytearray(data), bytearray(data), bytearray(data)
    zeroed[starts[1] + 100 : starts[1] + 300] = bytes(200)
    stale[second] = data[first]
    swapped[first], swapped[second] = data[second], data[first]
    for broken, at, whole in (
        (zeroed, starts[1], 1),
        (stale, starts[3], 3),
        (swapped, starts[1], 1),
    ):
        with pytest.raises(CorruptionError) as caught:
            list(read_log("WALs/s/1", bytes(broken)))
        assert at <= caught.value.offset < at + size
        found = list(islice(read_log("WALs/s/1", bytes(broken)), whole))
        assert found == [one for batch in batches[:whole] for one in batch]


def test_damage_that_was_never_called_durable_ends_the_log() -> None:
    encoder = WalEncoder(9)
    data = encoder.begin()
    for batch in BATCHES:
        data += encoder.batch([one.encode() for one in batch], 0)
    broken = bytearray(data)
    broken[100] ^= 1
    assert list(read_log("log", bytes(broken))) == []


def test_a_value_that_holds_a_log_is_no_batch() -> None:
    """A torn tail may hold any bytes, also those of a batch of another log."""
    inner, _ = log_of(BATCHES, log_id=1)
    data, starts = log_of([[record(1)], [record(2, value=inner * 3)]])
    torn = data[: len(data) - 100]
    assert list(read_log("log", torn)) == [record(1)]
    # An old version of the same file, shifted, is none either.
    own, _ = log_of(BATCHES)
    data, starts = log_of([[record(1)], [record(2, value=own)]])
    assert list(read_log("log", data[:-10])) == [record(1)]
    assert starts[1] < len(data)


def test_an_empty_file_is_an_empty_log() -> None:
    assert list(read_log("log", b"")) == []
    assert list(read_log("log", WalEncoder(3).begin())) == []


def test_a_complete_file_must_be_good_to_its_end() -> None:
    data = encode_log([one.encode() for one in RECORDS])
    assert list(read_log("edits", data, complete=True)) == RECORDS
    for length in (0, 5, 30, len(data) - 1):
        with pytest.raises(CorruptionError):
            list(read_log("edits", data[:length], complete=True))


def test_a_log_is_split_by_region_above_what_is_flushed() -> None:
    data, _ = log_of(BATCHES)
    assert LogIndex("log", data).regions == {"r1": TABLE, "r2": TABLE}
    edits = {one.region: one for one in LogIndex("log", data).split({"r1": 3, "r2": 0})}
    assert edits["r1"].max_sequence_id == 4
    assert list(read_log("e", edits["r1"].data, complete=True)) == [RECORDS[3]]
    assert list(read_log("e", edits["r2"].data, complete=True)) == [RECORDS[1], RECORDS[4]]
    assert edits["r2"].records == 2


def test_regions_that_are_not_asked_for_are_left_out_of_a_split() -> None:
    data, _ = log_of(BATCHES)
    assert [one.region for one in LogIndex("log", data).split({"r2": 0})] == ["r2"]


def test_a_record_that_makes_no_sense_is_corruption_though_its_checksum_holds() -> None:
    good = record(1).encode()
    payload = bytearray(good[8:])
    at = payload.index(b"ns:t")
    payload[at : at + 4] = b"\xff\xff:t"
    bad = struct.pack(">II", len(payload), google_crc32c.value(bytes(payload))) + bytes(payload)
    with pytest.raises(CorruptionError, match="makes no sense"):
        list(read_log("log", encode_log([bad])))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            WalRecord,
            st.sampled_from(["r1", "0123456789abcdef"]),
            st.just(TABLE),
            st.integers(0, 2**64 - 1),
            st.integers(0, 2**63 - 1),
            st.lists(
                st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9))).map(
                    lambda cells: FamilyCells(
                        b"f", [cell[0] for cell in cells], [cell[1] for cell in cells]
                    )
                ),
                max_size=3,
            ).map(tuple),
            st.integers(0, 2**64 - 1),
            st.integers(0, 2**64 - 1),
            st.sampled_from(["", "cluster"]),
        )
    )
)
def test_any_record_is_read_as_it_was_written(records: list[WalRecord]) -> None:
    assert list(read_log("log", encode_log([one.encode() for one in records]))) == records
