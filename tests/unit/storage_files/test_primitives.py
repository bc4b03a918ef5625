from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raybase.storage.hfile import primitives


@given(st.integers(-(2**63), 2**63 - 1))
def test_hadoops_numbers_round_trip(value):
    data = primitives.encode_vlong(value)
    assert primitives.decode_vlong(b"x" + data + b"y", 1) == (value, 1 + len(data))


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "00"),
        (127, "7f"),
        (-112, "90"),
        (128, "8f80"),
        (255, "8fff"),
        (256, "8e0100"),
        (-113, "8770"),
        (-256, "87ff"),
        (2**63 - 1, "887fffffffffffffff"),
        (-(2**63), "807fffffffffffffff"),
    ],
)
def test_hadoops_numbers_are_hadoops(value, data):
    assert primitives.encode_vlong(value).hex() == data


@given(st.integers(0, 2**64 - 1))
def test_protobufs_numbers_round_trip(value):
    data = primitives.encode_varint(value)
    assert primitives.decode_varint(data, 0) == (value, len(data))


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 2**64 - 1) | st.binary())))
def test_protobuf_fields_round_trip(fields):
    message = b"".join(primitives.encode_field(number, value) for number, value in fields)
    assert list(primitives.decode_fields(message)) == fields


@pytest.mark.parametrize("data", [b"\xff" * 11, b"\x0a\x05abc", b"\x0b", b"\x09\x01", b"\x80"])
def test_malformed_messages_are_refused(data):
    with pytest.raises((ValueError, IndexError)):
        list(primitives.decode_fields(data))


@pytest.mark.parametrize("data", [b"", b"\x8e\x01", b"\x8f"])
def test_numbers_cut_short_are_refused(data):
    with pytest.raises((ValueError, IndexError)):
        primitives.decode_vlong(data, 0)
