"""ClientService: Get, Mutate and Multi; Scan is in scan_service.py.

A get of what is in memory is answered without a task. Writes are answered by the log's group
commit. Nothing here waits between the look whether a region serves and the use of it.
Source: RSRpcServices.java.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..errors import (
    BlockMiss,
    FatalError,
    InvalidRequestError,
    RaybaseError,
    RetryableError,
    UnsupportedOperationError,
)
from ..model import CallContext
from ..operations import Condition, Get, Mutation, MutationKind
from ..rpc.call import Call, Reply
from ..rpc.convert import (
    RegionAnswer,
    RegionBatch,
    get_from_pb,
    get_reply,
    multi_from_request,
    multi_reply,
    mutate_from_request,
    mutate_reply,
)
from ..rpc.multi import Outcome
from ..storage.cells import CellBatch
from ..storage.region import Write
from .hosted_region import HostedRegion
from .observers import Action, authorize_columns, authorize_mutation
from .region_host import RegionHost
from .scan_service import ScanService

_ROWS_AT_A_TIME = 128
"""Under 2 ms of work, if the rows are narrow."""
_PLAIN = (MutationKind.PUT, MutationKind.DELETE)


class ClientService:
    """Answers the calls on data; every one passes authorizer and observers first."""

    def __init__(self, host: RegionHost) -> None:
        self._host = host
        self.scans = ScanService(host)

    # Get

    def get(self, call: Call) -> Reply | Awaitable[Reply]:
        hosted = self._host.find(call.request.region.value)
        get = get_from_pb(call.request.get)
        self._before_get(call.context, hosted, get)
        if hosted.is_undecided:
            return self._get_later(call, hosted)
        hosted.check_serving()
        try:
            batch = hosted.get(get)
        except BlockMiss as miss:
            return self._get_slowly(call, hosted, get, miss)
        self._after_get(call.context, hosted, get, batch)
        return get_reply(batch, get, call.codec)

    async def _get_later(self, call: Call, hosted: HostedRegion) -> Reply:
        await hosted.decided()
        reply = self.get(call)
        return reply if isinstance(reply, Reply) else await reply

    async def _get_slowly(
        self, call: Call, hosted: HostedRegion, get: Get, miss: BlockMiss
    ) -> Reply:
        batch = await hosted.get_slowly(get, miss)
        self._after_get(call.context, hosted, get, batch)
        return get_reply(batch, get, call.codec)

    # Mutate

    async def mutate(self, call: Call) -> Reply:
        request = call.request
        mutation, condition = mutate_from_request(request, call.cells, call.codec)
        batch = RegionBatch(request.region.value, [mutation], True, condition)
        hosted = self._host.find(request.region.value)
        write = await self._atomic(call.context, hosted, batch, request.nonce_group)
        result = write.results[0] if write is not None and write.results else None
        processed = write is None or write.succeeded
        return mutate_reply(result, call.codec, processed=processed)

    # Multi

    async def multi(self, call: Call) -> Reply:
        """Regions are worked on together; each has its own answer or error."""
        request = call.request
        batches = multi_from_request(request, call.cells, call.codec)
        group = request.nonceGroup
        if len(batches) == 1:
            answers = [await self._region_answer(call.context, batches[0], group)]
        else:
            answers = list(
                await asyncio.gather(
                    *(self._region_answer(call.context, batch, group) for batch in batches)
                )
            )
        return multi_reply(request, answers, call.codec)

    async def _region_answer(
        self, context: CallContext, batch: RegionBatch, nonce_group: int
    ) -> RegionAnswer:
        try:
            hosted = self._host.find(batch.region)
            if batch.atomic or batch.condition is not None:
                return await self._atomic_answer(context, hosted, batch, nonce_group)
            return _answer(await self._outcomes(context, hosted, batch, nonce_group))
        except FatalError:
            raise
        except RaybaseError as error:
            return RegionAnswer(error=error)

    async def _atomic_answer(
        self, context: CallContext, hosted: HostedRegion, batch: RegionBatch, nonce_group: int
    ) -> RegionAnswer:
        write = await self._atomic(context, hosted, batch, nonce_group)
        outcomes: list[Outcome] = [None] * len(batch.operations)
        if write is not None:
            outcomes[0] = _together(write.results)
        return RegionAnswer(outcomes, processed=write is None or write.succeeded)

    async def _atomic(
        self, context: CallContext, hosted: HostedRegion, batch: RegionBatch, nonce_group: int
    ) -> Write | None:
        """Mutations of one row, all or none; None for plain ones that were applied."""
        mutations = _mutations_of(batch)
        self._before_mutate(context, hosted, mutations, batch.condition)
        simple = (
            batch.condition is None
            and not any(one.nonce for one in mutations)
            and all(one.kind in _PLAIN for one in mutations)
        )
        if simple:
            if any(one.row != mutations[0].row for one in mutations):
                raise InvalidRequestError("an atomic write is about one row")
            await self._durable(hosted, lambda done: hosted.write(mutations, done))
            write = None
        else:
            write = await self._durable(
                hosted,
                lambda done: hosted.read_modify_write(
                    mutations, batch.condition, nonce_group, done
                ),
            )
        self._after_mutate(context, hosted, mutations)
        return write

    async def _outcomes(
        self, context: CallContext, hosted: HostedRegion, batch: RegionBatch, nonce_group: int
    ) -> Sequence[Outcome]:
        """One outcome an operation; runs of puts and deletes share a record of the log, and
        runs of gets what they look for."""
        if len(batch.operations) > 1 and all(isinstance(one, Get) for one in batch.operations):
            return await self._read_run(context, hosted, batch.operations, nonce_group)
        outcomes: list[Outcome] = [None] * len(batch.operations)
        run: list[Mutation] = []
        for index, operation in enumerate(batch.operations):
            if isinstance(operation, Mutation) and operation.kind in _PLAIN:
                run.append(operation)
                continue
            if run:
                await self._write_run(context, hosted, run, outcomes, index - len(run))
                run = []
            outcomes[index] = await self._single(context, hosted, operation, nonce_group)
        if run:
            first = len(outcomes) - len(run)
            await self._write_run(context, hosted, run, outcomes, first)
        return outcomes

    async def _read_run(
        self,
        context: CallContext,
        hosted: HostedRegion,
        gets: Sequence[Mutation | Get],
        nonce_group: int,
    ) -> Sequence[Outcome]:
        """Rows read together, some at a time so that other calls come in between. If one of
        these cannot be read at once, or not at all, they are read one by one."""
        outcomes: list[Outcome] = []
        for start in range(0, len(gets), _ROWS_AT_A_TIME):
            some = [one for one in gets[start : start + _ROWS_AT_A_TIME] if isinstance(one, Get)]
            found: Sequence[Outcome]
            try:
                for get in some:
                    self._before_get(context, hosted, get)
                await hosted.decided()
                hosted.check_serving()
                found = hosted.get_many(some)
            except BlockMiss:
                found = [await self._read_begun(hosted, get) for get in some]
            except (InvalidRequestError, RetryableError):
                outcomes += [await self._single(context, hosted, one, nonce_group) for one in some]
                continue
            for get, batch in zip(some, found, strict=True):
                if isinstance(batch, CellBatch):
                    self._after_get(context, hosted, get, batch)
            outcomes += found
            await asyncio.sleep(0)
        return outcomes

    async def _read_begun(self, hosted: HostedRegion, get: Get) -> Outcome:
        try:
            return await self._read_row(hosted, get)
        except (InvalidRequestError, RetryableError) as error:
            return error

    async def _single(
        self,
        context: CallContext,
        hosted: HostedRegion,
        operation: Mutation | Get,
        nonce_group: int,
    ) -> Outcome:
        try:
            if isinstance(operation, Get):
                return await self._read(context, hosted, operation)
            batch = RegionBatch(hosted.info.name, [operation], True)
            write = await self._atomic(context, hosted, batch, nonce_group)
        except (InvalidRequestError, RetryableError) as error:
            return error
        return write.results[0] if write is not None and write.results else None

    async def _read(self, context: CallContext, hosted: HostedRegion, get: Get) -> CellBatch:
        self._before_get(context, hosted, get)
        await hosted.decided()
        batch = await self._read_row(hosted, get)
        self._after_get(context, hosted, get, batch)
        return batch

    async def _read_row(self, hosted: HostedRegion, get: Get) -> CellBatch:
        hosted.check_serving()
        try:
            return hosted.get(get)
        except BlockMiss as miss:
            return await hosted.get_slowly(get, miss)

    async def _write_run(
        self,
        context: CallContext,
        hosted: HostedRegion,
        run: Sequence[Mutation],
        outcomes: list[Outcome],
        first: int,
    ) -> None:
        """Writes a run as one; if one of it is wrong, one by one, so that the rest stands."""
        try:
            self._before_mutate(context, hosted, run, None)
            await self._durable(hosted, lambda done: hosted.write(run, done))
            self._after_mutate(context, hosted, run)
        except RetryableError as error:
            outcomes[first : first + len(run)] = [error] * len(run)
        except InvalidRequestError as error:
            if len(run) == 1:
                outcomes[first] = error
                return
            middle = len(run) // 2
            await self._write_run(context, hosted, run[:middle], outcomes, first)
            await self._write_run(context, hosted, run[middle:], outcomes, first + middle)

    async def _durable(
        self, hosted: HostedRegion, write: Callable[[Callable[[], None]], Write | None]
    ) -> Write | None:
        """What ``write`` returns, once the write is durable and visible."""
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done() -> None:
            if not acknowledged.done():
                acknowledged.set_result(None)

        await hosted.decided()
        result = await hosted.resume(lambda: write(done))
        await acknowledged
        return result

    # Authorizer and observers

    def _before_get(self, context: CallContext, hosted: HostedRegion, get: Get) -> None:
        host = self._host
        if host.authorizer is not None:
            table = hosted.info.table
            authorize_columns(host.authorizer, context, Action.READ, table, get.columns)
        for observer in host.observers:
            observer.before_get(context, hosted.info, get)

    def _after_get(
        self, context: CallContext, hosted: HostedRegion, get: Get, batch: CellBatch
    ) -> None:
        for observer in self._host.observers:
            observer.after_get(context, hosted.info, get, batch)

    def _before_mutate(
        self,
        context: CallContext,
        hosted: HostedRegion,
        mutations: Sequence[Mutation],
        condition: Condition | None,
    ) -> None:
        host = self._host
        if hosted.info.table.is_system:
            # Only the master writes hbase:meta, and it does so by control calls.
            raise UnsupportedOperationError(f"{hosted.info.table} is written by the master alone")
        if host.authorizer is not None:
            table = hosted.info.table
            if condition is not None:
                columns = {condition.family: (condition.qualifier,)}
                authorize_columns(host.authorizer, context, Action.READ, table, columns)
            for mutation in mutations:
                authorize_mutation(host.authorizer, context, table, mutation)
        for observer in host.observers:
            observer.before_mutate(context, hosted.info, mutations)

    def _after_mutate(
        self, context: CallContext, hosted: HostedRegion, mutations: Sequence[Mutation]
    ) -> None:
        for observer in self._host.observers:
            observer.after_mutate(context, hosted.info, mutations)

    # Scan

    def scan(self, call: Call) -> Awaitable[Reply]:
        return self.scans.scan(call)


def _mutations_of(batch: RegionBatch) -> list[Mutation]:
    mutations = [one for one in batch.operations if isinstance(one, Mutation)]
    if len(mutations) != len(batch.operations) or not mutations:
        raise InvalidRequestError("an atomic batch is made of mutations")
    return mutations


def _together(results: Sequence[CellBatch | None]) -> CellBatch | None:
    """The cells that appends and increments of one atomic write made, as one row: HBase's
    clients look for them in the first result."""
    found = [cell for batch in results if batch is not None for cell in batch.cells()]
    if not found:
        return None
    out = CellBatch()
    for cell in sorted(found, key=lambda one: one[:3]):
        out.append(*cell)
    out.end_row()
    return out


def _answer(outcomes: Sequence[Outcome]) -> RegionAnswer:
    """One error for all, if it is the same one: the region's, not an operation's."""
    first = outcomes[0] if outcomes else None
    if isinstance(first, RetryableError) and all(one is first for one in outcomes):
        return RegionAnswer(error=first)
    return RegionAnswer(outcomes)
