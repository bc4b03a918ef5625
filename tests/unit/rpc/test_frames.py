from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import BadFrameError, RequestTooBigError
from raybase.rpc import frames
from raybase.rpc.frames import FrameReader, encode_frame, read_delimited, read_varint, varint


def test_a_request_is_length_header_message_and_cells() -> None:
    frame = encode_frame(b"\x08\x01\x1a\x03Get\x20\x01", b"\x0a\x01r", b"CELLS")
    assert frame.hex() == "000000130908011a034765742001030a017243454c4c53"


def test_an_answer_with_an_exception_has_no_message() -> None:
    assert encode_frame(b"\x08\x05", None).hex() == "00000003020805"


@pytest.mark.parametrize(
    ("value", "wire"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (0xFFFFFFFF, "ffffffff0f")],
)
def test_varints_are_protobufs(value: int, wire: str) -> None:
    assert varint(value).hex() == wire
    assert read_varint(bytes.fromhex(wire), 0) == (value, len(wire) // 2)


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 64), min_size=1))
@settings(max_examples=60)
def test_a_stream_gives_the_same_frames_however_it_is_cut(
    bodies: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    reader = FrameReader(1000)
    found = []
    at = turn = 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        reader.feed(stream[at : at + size])
        at += size
        turn += 1
        while (frame := reader.next()) is not None:
            found.append(frame)
    assert found == bodies
    assert reader.buffered_bytes == 0


def test_a_frame_cut_at_any_byte_is_not_there_yet() -> None:
    frame = encode_frame(b"header", b"message", b"cells")
    for length in range(len(frame)):
        reader = FrameReader(1000)
        reader.feed(frame[:length])
        assert reader.next() is None
        reader.feed(frame[length:])
        assert reader.next() == frame[4:]


def test_a_negative_length_is_refused() -> None:
    reader = FrameReader(1000)
    reader.feed(b"\xff\xff\xff\xff")
    with pytest.raises(BadFrameError, match="length -1"):
        reader.next()


def test_a_length_above_the_limit_is_refused_before_the_frame_is_there() -> None:
    reader = FrameReader(1000)
    reader.feed((1001).to_bytes(4, "big") + b"begin")
    with pytest.raises(RequestTooBigError, match="1001 bytes; the limit is 1000"):
        reader.next()
    assert reader.peek(100)[4:] == b"begin"


def test_a_length_at_the_limit_is_accepted() -> None:
    reader = FrameReader(1000)
    reader.feed((1000).to_bytes(4, "big") + bytes(1000))
    assert reader.next() == bytes(1000)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x80\x80\x80\x80\x01", b"\x05abcd"])
def test_a_part_that_does_not_end_within_the_frame_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrameError):
        read_delimited(data, 0)


def test_the_preamble_is_hbases() -> None:
    assert frames.PREAMBLE == b"HBas\x00\x50"
    assert len(frames.REGISTRY_MAGIC) == frames.PREAMBLE_BYTES
