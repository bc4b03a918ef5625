"""The client's requests, and what it takes out of answers."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import CorruptionError, RaybaseError
from ..model import META_TABLE
from ..operations import Condition, Get, Mutation, Scan
from ..rpc.client import Answer
from ..rpc.exceptions import error_from_text
from ..rpc.multi import Outcome as RpcOutcome
from ..rpc.multi import RegionAnswer, RegionBatch, multi_answers, multi_request
from ..rpc.mutations import mutate_request as _mutate_request
from ..rpc.proto import hbase_pb2 as pb
from ..rpc.reads import get_request as _get_request
from ..rpc.reads import result_batch, scan_batch, scan_request
from ..rpc.schema import namespace_from_pb as parse_namespace
from ..rpc.schema import namespace_to_pb as namespace_message
from ..rpc.schema import region_info_from_cell as parse_region_info
from ..rpc.schema import region_info_to_pb as region_info
from ..rpc.schema import region_specifier as _region_specifier
from ..rpc.schema import server_name_from_pb as server_name
from ..rpc.schema import server_name_to_pb as server_name_message
from ..rpc.schema import table_from_pb as parse_table_schema
from ..rpc.schema import table_name_from_pb as parse_table_name
from ..rpc.schema import table_name_to_pb as table_name
from ..rpc.schema import table_to_pb as table_schema
from ..storage.cells import CellBatch
from .location import RegionLocation
from .result import CheckedResult, Result, empty_result, results, single_result

__all__ = [
    "RegionBatch",
    "got",
    "multi_request",
    "namespace_message",
    "parse_namespace",
    "parse_region_info",
    "parse_table_name",
    "parse_table_schema",
    "region_info",
    "server_name",
    "server_name_message",
    "table_name",
    "table_schema",
]


def region_specifier(location: RegionLocation) -> pb.RegionSpecifier:
    return _region_specifier(location.name)


def get_request(location: RegionLocation, get: Get) -> pb.GetRequest:
    return _get_request(location.name, get)


def got(answer: Answer, row: bytes = b"") -> Result:
    """The result in an answer that holds one."""
    return single_result(row, result_batch(answer.message.result, answer.cells))


def mutate_request(
    location: RegionLocation,
    mutation: Mutation,
    condition: Condition | None,
    nonce_group: int,
) -> pb.MutateRequest:
    return _mutate_request(location.name, mutation, condition, nonce_group)


def multi_outcomes(
    answer: Answer, batches: Sequence[RegionBatch]
) -> list[RaybaseError | list[Result | RaybaseError]]:
    """For each batch the error of its region, or what became of each of its operations."""
    answers = multi_answers(answer.message, answer.cells, batches)
    return [
        one.error
        if one.error is not None
        else [
            _outcome(operation.row, outcome)
            for operation, outcome in zip(batch.operations, one.outcomes, strict=True)
        ]
        for batch, one in zip(batches, answers, strict=True)
    ]


def _outcome(row: bytes, outcome: RpcOutcome) -> Result | RaybaseError:
    if outcome is None:
        return empty_result(row)
    return outcome if isinstance(outcome, RaybaseError) else single_result(row, outcome)


def atomic_batch(
    location: RegionLocation, mutations: Sequence[Mutation], condition: Condition | None
) -> RegionBatch:
    return RegionBatch(location.name, list(mutations), atomic=True, condition=condition)


def atomic_answer(answer: Answer, batch: RegionBatch) -> CheckedResult:
    """Whether an atomic batch was applied, and its new cells. Raises its error."""
    one: RegionAnswer = multi_answers(answer.message, answer.cells, [batch])[0]
    if one.error is not None:
        raise one.error
    row = batch.operations[0].row
    result = empty_result(row)
    for outcome in one.outcomes:
        if isinstance(outcome, RaybaseError):
            raise outcome
        result = single_result(row, outcome) if outcome else result
    return CheckedResult(one.processed is not False, result)


def scan_open(location: RegionLocation, scan: Scan, rows: int) -> pb.ScanRequest:
    """Opens a scanner and takes its first ``rows`` rows at most."""
    request = scan_request(location.name, scan)
    request.number_of_rows = rows
    return request


def scan_once(location: RegionLocation, scan: Scan, rows: int) -> pb.ScanRequest:
    """Takes the first rows and closes the scanner again, all in one call."""
    request = scan_open(location, scan, rows)
    request.limit_of_rows = rows
    request.client_handles_partials = False
    request.client_handles_heartbeats = False
    request.close_scanner = True
    return request


def scan_next(scanner_id: int, call_seq: int, rows: int, left: int) -> pb.ScanRequest:
    """Takes the next rows; ``left`` of them are wanted in all (0: no limit)."""
    request = pb.ScanRequest(
        scanner_id=scanner_id,
        number_of_rows=rows,
        next_call_seq=call_seq,
        client_handles_partials=True,
        client_handles_heartbeats=True,
    )
    if left:
        request.limit_of_rows = left
    return request


def scan_close(scanner_id: int) -> pb.ScanRequest:
    return pb.ScanRequest(scanner_id=scanner_id, number_of_rows=0, close_scanner=True)


def scanned_batch(answer: Answer) -> CellBatch:
    """The rows of an answer to a scan."""
    return scan_batch(answer.message, answer.cells)


def scanned(answer: Answer) -> list[Result]:
    return list(results(scanned_batch(answer)))


def parse_table_state(value: bytes) -> int:
    """The number in hbase:meta's table:state. Raises CorruptionError."""
    from google.protobuf.message import DecodeError

    try:
        return int(pb.TableState.FromString(value).state)
    except DecodeError as error:
        raise CorruptionError(str(META_TABLE), 0, f"a table state: {error}") from None


def procedure_error(exception: pb.ForeignExceptionMessage) -> RaybaseError:
    """What made a procedure fail."""
    generic = exception.generic_exception
    return error_from_text(generic.class_name, generic.message, do_not_retry=True)
