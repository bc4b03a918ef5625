from __future__ import annotations

from collections.abc import Iterator

import pytest

from raybase import errors
from raybase.errors import (
    CallQueueTooBigError,
    CorruptionError,
    InvalidRequestError,
    NotServingRegionError,
    RaybaseError,
    RegionMovedError,
    RegionSplitError,
    RetryableError,
    StaleMasterError,
    TableNotFoundError,
)
from raybase.rpc.exceptions import (
    error_from_pair,
    error_from_response,
    error_from_text,
    exception_response,
    name_and_text,
)
from raybase.rpc.proto import hbase_pb2 as pb

HBASE = "org.apache.hadoop.hbase."


def tree(base: type[RaybaseError]) -> Iterator[type[RaybaseError]]:
    yield base
    for one in base.__subclasses__():
        yield from tree(one)


NAMED = [
    one
    for one in tree(RaybaseError)
    if "java_class" in vars(one) and one.__init__ is Exception.__init__
]


@pytest.mark.parametrize("kind", NAMED, ids=lambda one: one.__name__)
def test_an_error_with_a_java_class_arrives_as_itself(kind: type[RaybaseError]) -> None:
    error = kind("what went wrong")
    for found in (
        error_from_response(exception_response(error)),
        error_from_pair(name_and_text(error)),
    ):
        assert type(found) is kind
        assert str(found) == "what went wrong"


def test_an_error_without_a_java_class_of_its_own_arrives_as_its_nearest_base() -> None:
    found = error_from_response(exception_response(StaleMasterError("epoch 3")))
    assert type(found) is errors.MasterNotRunningError


def test_a_moved_region_is_named_with_its_place() -> None:
    error = RegionMovedError("10.0.0.7", 16020, 1700000000123, 42)
    response = exception_response(error)
    assert (response.hostname, response.port) == ("10.0.0.7", 16020)
    assert not response.do_not_retry
    assert error_from_response(response).args == error.args
    assert error_from_pair(name_and_text(error)).args == error.args


def test_a_split_region_is_named_with_its_daughters_and_hbase_takes_it_for_one_that_left() -> None:
    error = RegionSplitError(b"row\x00", 1700000000123)
    response = exception_response(error)
    assert response.exception_class_name == NotServingRegionError.java_class
    for found in (error_from_response(response), error_from_pair(name_and_text(error))):
        assert isinstance(found, RegionSplitError)
        assert found.args == error.args


def test_a_moved_region_of_a_server_that_does_not_write_the_sentence() -> None:
    name = RegionMovedError.java_class
    response = pb.ExceptionResponse(exception_class_name=name, hostname="h", port=1)
    assert error_from_response(response).args[:2] == ("h", 1)
    assert type(error_from_text(name, "gone")) is NotServingRegionError


@pytest.mark.parametrize(
    ("error", "do_not_retry", "overloaded"),
    [
        (TableNotFoundError("t"), True, False),
        (NotServingRegionError("r"), False, False),
        (CallQueueTooBigError("1000"), False, True),
        (ValueError("a bug"), False, False),
    ],
)
def test_flags_tell_foreign_clients_what_to_do(
    error: Exception, do_not_retry: bool, overloaded: bool
) -> None:
    response = exception_response(error)
    assert response.do_not_retry is do_not_retry
    assert response.server_overloaded is overloaded


def test_a_bug_arrives_as_the_base_of_all_errors() -> None:
    response = exception_response(ValueError("odd"))
    assert response.exception_class_name == HBASE + "HBaseIOException"
    found = error_from_response(response)
    assert type(found) is RaybaseError
    assert str(found) == "ValueError: odd"


def test_a_java_stack_trace_is_cut_to_its_message() -> None:
    name = HBASE + "TableNotFoundException"
    trace = f"{name}: webtable\n\tat org.apache.hadoop.hbase.X.y(X.java:1)\n\tat z"
    found = error_from_text(name, trace)
    assert isinstance(found, TableNotFoundError)
    assert str(found) == "webtable"


def test_an_unknown_class_keeps_its_name_and_whether_to_retry() -> None:
    found = error_from_text("org.example.OddException", "odd", do_not_retry=True)
    assert isinstance(found, InvalidRequestError)
    assert str(found) == "org.example.OddException: odd"
    assert type(error_from_text("org.example.OddException", "odd")) is RetryableError


def test_damage_keeps_its_file_and_offset_and_is_not_tried_again() -> None:
    error = CorruptionError("data/default/t/abc/f/0001", 4096, "bad checksum (block 3)")
    response = exception_response(error)
    assert response.do_not_retry
    again = error_from_response(response)
    assert isinstance(again, CorruptionError)
    assert again.args == error.args
