"""Comparators as messages: HBase's class names and their fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from ..errors import BadFrameError, IllegalArgumentError, UnsupportedOperationError
from ..storage import filters as kinds
from .proto import hbase_pb2 as pb

PACKAGE: Final = "org.apache.hadoop.hbase.filter."


def parsed(kind: type[Any], data: bytes) -> Any:
    """The message in ``data``. Raises BadFrameError."""
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise BadFrameError(f"bytes that are no {kind.__name__}: {error}") from None
    return message


def comparator_to_pb(comparator: kinds.Comparator) -> pb.Comparator:
    """Raises UnsupportedOperationError for a class that HBase does not have."""
    name = type(comparator).__name__
    if name not in _TO_PB:
        raise UnsupportedOperationError(f"comparators of class {name}")
    message = _TO_PB[name](comparator)
    return pb.Comparator(name=PACKAGE + name, serialized_comparator=message.SerializeToString())


def comparator_from_pb(message: pb.Comparator) -> kinds.Comparator:
    """Raises UnsupportedOperationError for a class that HBase does not have.

    Raises BadFrameError and IllegalArgumentError for what is not as that class writes it.
    """
    name = message.name.removeprefix(PACKAGE)
    if name not in _FROM_PB or not message.name.startswith(PACKAGE):
        raise UnsupportedOperationError(f"comparators of class {message.name}")
    return _FROM_PB[name](message.serialized_comparator)


def _comparable(value: bytes) -> pb.ByteArrayComparable:
    return pb.ByteArrayComparable(value=value)


def _long_from_pb(data: bytes) -> kinds.Comparator:
    value = parsed(pb.LongComparator, data).comparable.value
    if len(value) != 8:
        raise IllegalArgumentError(f"a LongComparator of {len(value)} bytes; it has 8")
    return kinds.LongComparator(int.from_bytes(value, "big", signed=True))


def _bits_from_pb(data: bytes) -> kinds.Comparator:
    message = parsed(pb.BitComparator, data)
    return kinds.BitComparator(message.comparable.value, kinds.BitwiseOp(message.bitwise_op))


def _component_from_pb(data: bytes) -> kinds.Comparator:
    message = parsed(pb.BinaryComponentComparator, data)
    return kinds.BinaryComponentComparator(message.value, message.offset)


def _regex_from_pb(data: bytes) -> kinds.Comparator:
    message = parsed(pb.RegexStringComparator, data)
    return kinds.RegexStringComparator(
        message.pattern, message.pattern_flags, message.charset or "UTF-8"
    )


_TO_PB: Final[dict[str, Callable[[Any], Message]]] = {
    "BinaryComparator": lambda one: pb.BinaryComparator(comparable=_comparable(one.value)),
    "BinaryPrefixComparator": lambda one: pb.BinaryPrefixComparator(
        comparable=_comparable(one.value)
    ),
    "BinaryComponentComparator": lambda one: pb.BinaryComponentComparator(
        value=one.value, offset=one.offset
    ),
    "BitComparator": lambda one: pb.BitComparator(
        comparable=_comparable(one.value), bitwise_op=one.operator.value
    ),
    "LongComparator": lambda one: pb.LongComparator(
        comparable=_comparable(one.value.to_bytes(8, "big", signed=True))
    ),
    "BigDecimalComparator": lambda one: pb.BigDecimalComparator(
        comparable=_comparable(one.to_bytes())
    ),
    "NullComparator": lambda one: pb.NullComparator(),
    "SubstringComparator": lambda one: pb.SubstringComparator(substr=one.text),
    "RegexStringComparator": lambda one: pb.RegexStringComparator(
        pattern=one.pattern, pattern_flags=one.flags, charset=one.charset, engine="JAVA"
    ),
}
_FROM_PB: Final[dict[str, Callable[[bytes], kinds.Comparator]]] = {
    "BinaryComparator": lambda data: kinds.BinaryComparator(
        parsed(pb.BinaryComparator, data).comparable.value
    ),
    "BinaryPrefixComparator": lambda data: kinds.BinaryPrefixComparator(
        parsed(pb.BinaryPrefixComparator, data).comparable.value
    ),
    "BinaryComponentComparator": _component_from_pb,
    "BitComparator": _bits_from_pb,
    "LongComparator": _long_from_pb,
    "BigDecimalComparator": lambda data: kinds.BigDecimalComparator.from_bytes(
        parsed(pb.BigDecimalComparator, data).comparable.value
    ),
    "NullComparator": lambda data: kinds.NullComparator(),
    "SubstringComparator": lambda data: kinds.SubstringComparator(
        parsed(pb.SubstringComparator, data).substr
    ),
    "RegexStringComparator": _regex_from_pb,
}
