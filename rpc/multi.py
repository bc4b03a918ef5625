"""Multi: many operations on many regions in one call.

HBase sends an action for every operation. Between raybase's own client and server, puts and
deletes travel in runs instead: one action stands for all consecutive mutations of one kind,
and their rows and cells are columns of the cell block (MutationProto.row_count). A run that
was applied whole is answered by one message, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, groupby

from ..errors import BadFrameError, RaybaseError
from ..model import Durability
from ..operations import Cell, Condition, Delete, Get, Mutation, MutationKind
from ..storage.cells import CellBatch
from .call import Reply
from .codec import DECODED_BYTES_MAX, CellCodec
from .columnar import decode_columns, encode_columns
from .exceptions import error_from_pair, name_and_text
from .mutations import (
    DURABILITY_TO_PB,
    KIND_FROM_PB,
    KIND_TO_PB,
    CellSource,
    cell_source,
    condition_from_pb,
    condition_to_pb,
    mutation_from_pb,
    mutation_to_pb,
    stamp_of,
)
from .proto import hbase_pb2 as pb
from .reads import get_from_pb, get_to_pb, piece, result_batch, result_to_pb
from .schema import encoded_name, region_specifier

Outcome = CellBatch | RaybaseError | None
"""Of one operation: its cells, its error, or None for "applied, nothing to return"."""

_RUN_KINDS = (MutationKind.PUT, MutationKind.DELETE)


@dataclass(slots=True)
class RegionBatch:
    """Operations on one region, by its full name, in order.

    ``atomic``: all are mutations of one row, applied whole or not at all. With a condition
    they are applied only if it holds.
    """

    region: bytes
    operations: list[Mutation | Get]
    atomic: bool = False
    condition: Condition | None = None

    @property
    def encoded_name(self) -> str:
        return encoded_name(self.region)


@dataclass(slots=True)
class RegionAnswer:
    """What became of a RegionBatch: one outcome an operation, or one error for all of them.

    ``processed`` says of an atomic batch whether it was applied, that is, its condition held.
    """

    outcomes: Sequence[Outcome] = field(default_factory=list)
    error: RaybaseError | None = None
    processed: bool | None = None


# Requests


def multi_request(
    batches: Sequence[RegionBatch], nonce_group: int = 0
) -> tuple[pb.MultiRequest, bytes]:
    """The message and the columnar block of a call; no bytes if nothing needs a block."""
    request = pb.MultiRequest()
    if nonce_group:
        request.nonceGroup = nonce_group
    block: list[Mutation] = []
    for batch in batches:
        action = request.regionAction.add(region=region_specifier(batch.region))
        if batch.atomic:
            action.atomic = True
        if batch.condition is not None:
            action.condition.CopyFrom(condition_to_pb(batch.condition))
        block += _add_actions(action, batch.operations)
    return request, _encode_mutations(block) if block else b""


def _run_key(operation: Mutation | Get) -> tuple[MutationKind, Durability, int] | None:
    """Equal for neighbours that may share a run; None for what travels alone."""
    if isinstance(operation, Get) or operation.kind not in _RUN_KINDS:
        return None
    if operation.ttl_ms is not None:
        return None
    timestamp = operation.timestamp if isinstance(operation, Delete) else 0
    return operation.kind, operation.durability, timestamp


def _add_actions(
    region_action: pb.RegionAction, operations: Sequence[Mutation | Get]
) -> list[Mutation]:
    """Adds the operations' actions; returns those whose cells go into the block."""
    block: list[Mutation] = []
    index = 0
    for key, group in groupby(operations, _run_key):
        if key is None:
            for operation in group:
                if isinstance(operation, Get):
                    region_action.action.add(index=index, get=get_to_pb(operation))
                else:
                    region_action.action.add(index=index, mutation=mutation_to_pb(operation))
                index += 1
            continue
        run = [operation for operation in group if isinstance(operation, Mutation)]
        kind, durability, timestamp = key
        message = region_action.action.add(index=index).mutation
        message.mutate_type = KIND_TO_PB[kind]
        message.row_count = len(run)
        if durability:
            message.durability = DURABILITY_TO_PB[durability]
        if kind is MutationKind.DELETE:
            message.timestamp = timestamp
        block += run
        index += len(run)
    return block


def _encode_mutations(mutations: Sequence[Mutation]) -> bytes:
    cells = list(chain.from_iterable([one.cells for one in mutations]))
    rows = [one.row for one in mutations]
    counts = [len(one.cells) for one in mutations]
    if not cells:
        return encode_columns(rows, counts, (), (), (), (), ())
    return encode_columns(rows, counts, *zip(*cells, strict=True))


class _RunSource:
    """Rows of a columnar block, handed out in order to the runs that claim them."""

    __slots__ = ("_at", "_cells", "_ends", "_rows")

    def __init__(self, cells: bytes) -> None:
        columns = decode_columns(cells, DECODED_BYTES_MAX)
        self._rows = columns.rows
        self._ends = [0, *accumulate(columns.counts)]
        self._cells: list[Cell] = list(
            zip(
                columns.families,
                columns.qualifiers,
                columns.timestamps,
                columns.types,
                columns.values,
                strict=True,
            )
        )
        self._at = 0

    def take(self, message: pb.MutationProto) -> list[Mutation]:
        start = self._at
        end = start + message.row_count
        if end > len(self._rows):
            raise BadFrameError(
                f"a run of {message.row_count} rows; {len(self._rows) - start} left"
            )
        self._at = end
        kind = KIND_FROM_PB[message.mutate_type]
        durability = Durability(message.durability)
        cells, ends = self._cells, self._ends
        spans = zip(self._rows[start:end], ends[start:end], ends[start + 1 : end + 1], strict=True)
        if kind is MutationKind.PUT:
            return [Mutation(kind, row, cells[a:b], durability) for row, a, b in spans]
        if kind is not MutationKind.DELETE:
            raise BadFrameError(f"a run of mutations of kind {kind}")
        timestamp = stamp_of(message)
        deletes: list[Mutation] = []
        for row, a, b in spans:
            delete = Delete(row, timestamp, durability=durability)
            delete.cells = cells[a:b]
            deletes.append(delete)
        return deletes

    def finish(self) -> None:
        if self._at != len(self._rows):
            raise BadFrameError(f"{len(self._rows) - self._at} rows belong to no run")


def multi_from_request(
    request: pb.MultiRequest, cells: bytes, codec: CellCodec | None
) -> list[RegionBatch]:
    """What a Multi asks for, region by region.

    Raises BadFrameError if message and block disagree, else InvalidRequestError if one of the
    operations cannot be; nothing has been applied then.
    """
    actions = request.regionAction
    has_runs = codec is not None and codec.keeps_rows and bool(cells)
    runs = _RunSource(cells) if has_runs else None
    source = CellSource(None) if has_runs else cell_source(cells, codec)
    batches = []
    for action in actions:
        operations: list[Mutation | Get] = []
        for one in action.action:
            _add_operations(operations, one, runs, source)
        condition = condition_from_pb(action.condition) if action.HasField("condition") else None
        batches.append(RegionBatch(action.region.value, operations, action.atomic, condition))
    source.finish()
    if runs is not None:
        runs.finish()
    return batches


def _add_operations(
    operations: list[Mutation | Get],
    action: pb.Action,
    runs: _RunSource | None,
    source: CellSource,
) -> None:
    if action.HasField("get"):
        operations.append(get_from_pb(action.get))
    elif not action.HasField("mutation"):
        raise BadFrameError("an action is neither a mutation nor a get")
    elif not action.mutation.HasField("row_count"):
        operations.append(mutation_from_pb(action.mutation, source))
    elif runs is None:
        raise BadFrameError("a run of mutations without a columnar block")
    else:
        operations += runs.take(action.mutation)


# Answers


def multi_reply(
    request: pb.MultiRequest, answers: Sequence[RegionAnswer], codec: CellCodec | None
) -> Reply:
    """The answer to a Multi, an answer for each of its regions in order."""
    response = pb.MultiResponse()
    cells = CellBatch()
    for asked, answer in zip(request.regionAction, answers, strict=True):
        result = response.regionActionResult.add()
        if answer.error is not None:
            result.exception.CopyFrom(name_and_text(answer.error))
            continue
        if answer.processed is not None:
            result.processed = answer.processed
            response.processed = answer.processed
        _add_outcomes(result, asked, answer.outcomes, codec, cells)
    return Reply(response, cells if cells else None)


def _add_outcomes(
    result: pb.RegionActionResult,
    asked: pb.RegionAction,
    outcomes: Sequence[Outcome],
    codec: CellCodec | None,
    cells: CellBatch,
) -> None:
    at = 0
    for action in asked.action:
        count = action.mutation.row_count if action.mutation.HasField("row_count") else 1
        if count > 1 and outcomes[at : at + count].count(None) == count:
            result.resultOrException.add(index=action.index, row_count=count)
        else:
            for offset, outcome in enumerate(outcomes[at : at + count]):
                one = result.resultOrException.add(index=action.index + offset)
                _set_outcome(one, outcome, action, codec, cells)
        at += count


def _set_outcome(
    one: pb.ResultOrException,
    outcome: Outcome,
    action: pb.Action,
    codec: CellCodec | None,
    cells: CellBatch,
) -> None:
    if isinstance(outcome, RaybaseError):
        one.exception.CopyFrom(name_and_text(outcome))
        return
    if action.HasField("get") and action.get.existence_only:
        one.result.exists = bool(outcome)
        return
    one.result.CopyFrom(result_to_pb(outcome, codec))
    if codec is not None and outcome:
        _extend(cells, outcome)


def _extend(cells: CellBatch, more: CellBatch) -> None:
    base = len(cells)
    cells.rows += more.rows
    cells.families += more.families
    cells.qualifiers += more.qualifiers
    cells.timestamps += more.timestamps
    cells.types += more.types
    cells.values += more.values
    cells.row_ends += [base + end for end in more.row_ends]


def multi_answers(
    response: pb.MultiResponse, cells: CellBatch | None, batches: Sequence[RegionBatch]
) -> list[RegionAnswer]:
    """What became of each batch of the request that ``response`` answers.

    An existence-only get has a batch of one empty cell for "yes", an empty one for "no".
    Raises BadFrameError if the answer is not one to this request.
    """
    if len(response.regionActionResult) != len(batches):
        raise BadFrameError(f"{len(response.regionActionResult)} answers to {len(batches)} batches")
    source = _ResultSource(cells)
    answers = [
        _answer(result, batch, source)
        for result, batch in zip(response.regionActionResult, batches, strict=True)
    ]
    source.finish()
    return answers


class _ResultSource:
    """Cells of an answer's block, cut into the results they belong to."""

    __slots__ = ("_at", "_batch")

    def __init__(self, batch: CellBatch | None) -> None:
        self._batch = batch if batch is not None else CellBatch()
        self._at = 0

    def take(self, result: pb.Result) -> CellBatch:
        if result.cell:
            return result_batch(result, None)
        start = self._at
        self._at += result.associated_cell_count
        return piece(self._batch, start, self._at)

    def finish(self) -> None:
        if self._at != len(self._batch):
            raise BadFrameError(f"results of {self._at} cells with a block of {len(self._batch)}")


def _answer(
    result: pb.RegionActionResult, batch: RegionBatch, source: _ResultSource
) -> RegionAnswer:
    if result.HasField("exception"):
        return RegionAnswer(error=error_from_pair(result.exception))
    outcomes: list[Outcome] = [None] * len(batch.operations)
    for one in result.resultOrException:
        last = one.index + (one.row_count or 1)
        if last > len(outcomes):
            raise BadFrameError(f"an answer to operation {last - 1} of {len(outcomes)}")
        if one.HasField("exception"):
            outcomes[one.index] = error_from_pair(one.exception)
        elif one.HasField("result"):
            outcomes[one.index] = _result(one.result, batch.operations[one.index], source)
    processed = result.processed if result.HasField("processed") else None
    return RegionAnswer(outcomes, processed=processed)


def _result(result: pb.Result, operation: Mutation | Get, source: _ResultSource) -> Outcome:
    if not isinstance(operation, Get):
        found = source.take(result)
        return found if found or operation.kind not in _RUN_KINDS else None
    if operation.existence_only:
        found = CellBatch()
        if result.exists:
            found.append(operation.row, b"", b"", 0, 0, b"")
            found.end_row()
        return found
    return source.take(result)
