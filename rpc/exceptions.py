"""Errors on the wire: Java's class names and HBase's texts, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..errors import (
    CallQueueTooBigError,
    CorruptionError,
    InvalidRequestError,
    NotServingRegionError,
    RaybaseError,
    RegionMovedError,
    RegionSplitError,
    RetryableError,
)
from .proto import hbase_pb2 as pb

INTERNAL: Final = RaybaseError.java_class
"""Class of what went wrong inside the server and has no name of its own: a bug."""

_MOVED = re.compile(r"hostname=(\S+) port=(\d+) startCode=(-?\d+)\. As of locationSeqNum=(-?\d+)\.")
_SPLIT = re.compile(r"Region was split: row=([0-9a-f]+) regionId=(\d+)\.")
_CORRUPT = re.compile(r"(.*) \(file (\S+), offset (\d+)\)", re.DOTALL)


def _tree(base: type[RaybaseError]) -> Iterator[type[RaybaseError]]:
    yield base
    for one in base.__subclasses__():
        yield from _tree(one)


def _classes_by_java_name() -> dict[str, type[RaybaseError]]:
    """A name belongs to the class that declares it; those that inherit it are known by it."""
    return {
        one.java_class: one
        for one in _tree(RaybaseError)
        if "java_class" in vars(one) and one not in (RegionMovedError, CorruptionError)
    }


_BY_JAVA_NAME: Final = _classes_by_java_name()


def java_name(error: Exception) -> str:
    return error.java_class if isinstance(error, RaybaseError) else INTERNAL


def java_text(error: Exception) -> str:
    """What stands where HBase sends a stack trace: ``class: message``."""
    if isinstance(error, RaybaseError):
        return f"{error.java_class}: {error}"
    return f"{INTERNAL}: {type(error).__name__}: {error}"


def error_from_text(name: str, text: str, *, do_not_retry: bool = False) -> RaybaseError:
    """The error a server meant by a class name and a text, which may be a stack trace.

    An unknown class becomes InvalidRequestError if it must not be retried, else
    RetryableError; its name stays in the message.
    """
    message = text.partition("\n\tat ")[0].strip()
    if name == RegionMovedError.java_class:
        if place := _MOVED.search(message):
            host, port, start_code, sequence_id = place.groups()
            return RegionMovedError(host, int(port), int(start_code), int(sequence_id))
        return NotServingRegionError(message)
    if name == RegionSplitError.java_class and (split := _SPLIT.search(message)):
        row, region_id = split.groups()
        return RegionSplitError(bytes.fromhex(row), int(region_id))
    if name == CorruptionError.java_class:
        damaged = _CORRUPT.search(message.removeprefix(f"{name}: "))
        reason, path, offset = damaged.groups() if damaged else (message, "unknown", "0")
        return CorruptionError(path, int(offset), reason)
    known = _BY_JAVA_NAME.get(name)
    if known is not None:
        return known(message.removeprefix(f"{name}: "))
    if name not in message:
        message = f"{name}: {message}"
    return InvalidRequestError(message) if do_not_retry else RetryableError(message)


def exception_response(error: Exception) -> pb.ExceptionResponse:
    """The exception part of an answer's header."""
    response = pb.ExceptionResponse(
        exception_class_name=java_name(error),
        stack_trace=java_text(error),
        do_not_retry=isinstance(error, RaybaseError) and error.do_not_retry,
    )
    if isinstance(error, RegionMovedError):
        response.hostname = error.host
        response.port = error.port
    if isinstance(error, CallQueueTooBigError):
        response.server_overloaded = True
    return response


def error_from_response(response: pb.ExceptionResponse) -> RaybaseError:
    """The error of an answer's header."""
    error = error_from_text(
        response.exception_class_name, response.stack_trace, do_not_retry=response.do_not_retry
    )
    moved = response.exception_class_name == RegionMovedError.java_class
    if moved and not isinstance(error, RegionMovedError) and response.hostname:
        return RegionMovedError(response.hostname, response.port, -1, -1)
    return error


def name_and_text(error: Exception) -> pb.NameBytesPair:
    """An error inside an answer (of Multi)."""
    return pb.NameBytesPair(name=java_name(error), value=java_text(error).encode())


def error_from_pair(pair: pb.NameBytesPair) -> RaybaseError:
    return error_from_text(pair.name, pair.value.decode("utf-8", "replace"))
