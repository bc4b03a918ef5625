"""The coordinator's log and snapshots as bytes: what is damaged is never believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.coordination.codec import decode, encode
from raybase.coordination.log_format import (
    LogHeader,
    decode_log,
    decode_snapshot,
    encode_batch,
    snapshot_parts,
)
from raybase.coordination.records import CloseSession, OpenSession, Record, Request
from raybase.coordination.requests import (
    Check,
    Create,
    Delete,
    Exists,
    GetChildren,
    GetData,
    Multi,
    SetData,
)
from raybase.coordination.state import CoordinatorState
from raybase.errors import CorruptionError

OPERATIONS = [
    Create("/a", b"\x00\xff", ephemeral=True),
    GetData("/a", watch=True),
    Exists("/later", watch=True),
    GetChildren("/", watch=True),
    Create("/later", sequential=True),
    Multi((SetData("/a", b"x", 0), Check("/a", 1), Delete("/none"))),
    SetData("/a", b"new", -1),
    Create("/später", b"Zeichen"),
    Delete("/a", 1),
]


def records() -> list[Record]:
    """Two sessions and one of each operation, some of which fail."""
    made: list[Record] = [OpenSession(1, 5, 2**63 - 1, "one", 6000), OpenSession(2, 5, 8, "two", 1)]
    for xid, operation in enumerate(OPERATIONS, start=1):
        made.append(Request(len(made) + 1, -7, 1, xid, max(1, xid - 2), 0, operation))
    made.append(CloseSession(len(made) + 1, 9, 2, expired=True))
    return made


def state_of(some: list[Record]) -> CoordinatorState:
    state = CoordinatorState()
    for record in some:
        state.apply(record)
    return state


def log_of(some: list[Record]) -> tuple[bytes, list[int]]:
    """A log with a batch for each record, and where each batch begins."""
    data = LogHeader(3, 0).encode()
    starts = []
    for record in some:
        starts.append(len(data))
        data += encode_batch(len(data), [encode(record)])
    return data, starts


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert decode(encode(value)) == (value,)


def test_records_come_back_as_they_were() -> None:
    for record in records():
        assert decode(encode(record)) == (record,)


@pytest.mark.parametrize("value", [1.5, object(), [1], {}, 2**63, -(2**63) - 1, "\ud800", Record])
def test_what_could_not_be_read_back_is_not_written(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(value)


def test_too_deep_a_value_is_not_written() -> None:
    value: Any = ()
    for _ in range(30):
        value = (value,)
    with pytest.raises(ValueError):
        encode(value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_a_value_error(data: bytes) -> None:
    try:
        values = decode(data)
    except ValueError:
        return
    assert b"".join(map(encode, values)) or not data


def test_a_log_is_read_as_it_was_written() -> None:
    data, _ = log_of(records())
    log = decode_log("log", data)
    assert log.header == LogHeader(3, 0)
    assert list(log.records) == records()
    assert log.length == len(data)


def test_a_torn_tail_ends_the_log_at_every_byte() -> None:
    some = records()
    data, starts = log_of(some)
    for end in range(len(data)):
        whole = sum(1 for start in [*starts[1:], len(data)] if start <= end)
        assert len(decode_log("log", data[:end]).records) == whole, end


def test_rubbish_after_the_last_batch_ends_the_log() -> None:
    data, starts = log_of(records())
    last = starts[-1]
    for rubbish in (b"\x00" * 100, b"\xb7RBB" * 30, data[last : last + 20] + bytes(40)):
        assert len(decode_log("log", data[:last] + rubbish).records) == len(starts) - 1


def test_damage_below_a_good_batch_is_corruption_at_every_byte() -> None:
    data, starts = log_of(records())
    for at in range(starts[-1]):
        damaged = bytearray(data)
        damaged[at] ^= 0x40
        with pytest.raises(CorruptionError) as raised:
            decode_log("the/log", bytes(damaged))
        assert raised.value.path == "the/log"
        assert raised.value.offset <= at


def test_damage_in_the_last_batch_takes_only_that_batch() -> None:
    data, starts = log_of(records())
    for at in range(starts[-1], len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x01
        assert len(decode_log("log", bytes(damaged)).records) == len(starts) - 1


def test_a_batch_in_the_wrong_place_is_not_believed() -> None:
    data, starts = log_of(records())
    batch = data[starts[2] : starts[3]]
    assert len(decode_log("log", data[: starts[3]] + batch).records) == 3


def test_a_log_replayed_is_the_state() -> None:
    state = state_of(records())
    again = state_of(list(decode_log("log", log_of(records())[0]).records))
    assert b"".join(snapshot_parts(again)) == b"".join(snapshot_parts(state))


def test_a_snapshot_is_the_state() -> None:
    for count in range(len(records()) + 1):
        state = state_of(records()[:count])
        image = b"".join(snapshot_parts(state))
        restored = decode_snapshot("snapshot", image)
        assert b"".join(snapshot_parts(restored)) == image
        for record in records()[count:]:
            assert restored.apply(record) == state.apply(record)
        assert b"".join(snapshot_parts(restored)) == b"".join(snapshot_parts(state))


def test_a_snapshot_holds_the_state_of_its_beginning() -> None:
    state = state_of(records()[:3])
    for number in range(1000):
        state.apply(Request(state.zxid + 1, 0, 1, 10 + number, 1, 0, Create(f"/n{number}")))
    image = b"".join(snapshot_parts(state))
    parts = snapshot_parts(state)
    taken = [next(parts)]
    state.apply(Request(state.zxid + 1, 0, 1, 5000, 1, 0, Delete("/n7")))
    state.apply(Request(state.zxid + 1, 0, 1, 5001, 1, 0, SetData("/n8", b"x")))
    assert b"".join([*taken, *parts]) == image


def test_a_damaged_or_cut_snapshot_is_corruption() -> None:
    image = b"".join(snapshot_parts(state_of(records())))
    for at in range(len(image)):
        damaged = bytearray(image)
        damaged[at] ^= 0x10
        with pytest.raises(CorruptionError):
            decode_snapshot("snapshot", bytes(damaged))
        with pytest.raises(CorruptionError):
            decode_snapshot("snapshot", image[:at])


def test_a_snapshot_whose_frames_changed_places_is_corruption() -> None:
    state = state_of(records()[:3])
    for number in range(600):
        state.apply(Request(state.zxid + 1, 0, 1, 10 + number, 1, 0, Create(f"/n{number}")))
    magic, head, *frames = snapshot_parts(state)
    assert len(frames) >= 3
    with pytest.raises(CorruptionError):
        decode_snapshot("snapshot", b"".join([magic, head, *reversed(frames)]))


def test_records_out_of_turn_are_refused() -> None:
    state = state_of(records()[:3])
    for record in (
        OpenSession(9, 0, 1, "x", 1),
        CloseSession(4, 0, 77, expired=False),
        Request(4, 0, 1, 1, 1, 0, Delete("/a")),
    ):
        before = b"".join(snapshot_parts(state))
        with pytest.raises(ValueError):
            state.apply(record)
        assert b"".join(snapshot_parts(state)) == before
