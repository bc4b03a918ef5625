"""Many actions at once: grouped by region and server, only what failed tried again.

Source: AsyncBatchRpcRetryingCaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Final

from ..errors import InvalidRequestError, NotServingRegionError, RaybaseError
from ..model import TableName
from ..operations import Get, Mutation, MutationKind
from . import wire
from .arguments import check_action
from .core import CLIENT, Core
from .effects import Address, Call, Operation, Outcome, Parallel
from .location import RegionLocation
from .result import Result
from .retry import Attempts, is_retryable

Action = Get | Mutation

ROUND_BYTES: Final = 8 * 1024 * 1024
"""Actions sent before any answer is awaited. hbase.client.max.submit.heapsize is 4 MiB."""
ROUND_ACTIONS: Final = 10_000

Group = tuple[RegionLocation, list[int]]


class Batch:
    """The actions of one call and what became of each."""

    def __init__(self, core: Core, table: TableName, actions: Sequence[Action]) -> None:
        self._core = core
        self._table = table
        self._actions: list[Action] = [self._prepared(one) for one in actions]
        self._outcomes: list[Result | RaybaseError | None] = [None] * len(actions)
        self._last_errors: dict[int, RaybaseError] = {}

    def run(self) -> Operation[list[Result | RaybaseError]]:
        """The result or the error of every action, in the order given.

        A mutation without a result of its own gets an empty one. Raises nothing that is
        about a single action.
        """
        for pending in self._rounds():
            yield from self._run_round(pending)
        done = [one for one in self._outcomes if one is not None]
        assert len(done) == len(self._actions)
        return done

    def _prepared(self, action: Action) -> Action:
        """Checked, and with a nonce if it needs one."""
        check_action(action, self._core.config.cell_bytes_max)
        return action if isinstance(action, Get) else with_nonce(self._core, action)

    def _rounds(self) -> Iterator[list[int]]:
        pending: list[int] = []
        size = 0
        for index, action in enumerate(self._actions):
            pending.append(index)
            size += _size(action)
            if size >= ROUND_BYTES or len(pending) >= ROUND_ACTIONS:
                yield pending
                pending, size = [], 0
        if pending:
            yield pending

    def _run_round(self, pending: list[int]) -> Operation[None]:
        count = len(pending)
        attempts = self._core.attempts(lambda: f"{count} actions on table {self._table}")
        while pending:
            self._last_errors.clear()
            groups = yield from self._grouped(pending)
            yield from self._send(groups, attempts)
            pending = [index for index in pending if self._outcomes[index] is None]
            if not pending:
                return
            error = next(iter(self._last_errors.values()))
            try:
                pause = attempts.failed(error)
            except RaybaseError as last:
                for index in pending:
                    self._outcomes[index] = last
                return
            yield pause

    def _grouped(self, pending: list[int]) -> Operation[dict[Address, list[Group]]]:
        """The actions whose region was found, by server and region."""
        by_server: dict[Address, dict[bytes, Group]] = {}
        location: RegionLocation | None = None
        into: list[int] = []
        start = end = b""
        for position, index in enumerate(pending):
            row = self._actions[index].row
            if location is None or row < start or (end and row >= end):
                try:
                    location = yield from self._core.locate(self._table, row)
                except NotServingRegionError as error:
                    location = None
                    self._failed(index, error)
                    continue
                except RaybaseError as error:
                    # No table, or hbase:meta cannot be asked: the same for all the others.
                    for other in pending[position:]:
                        self._failed(other, error)
                    break
                start, end = location.region.start_key, location.region.end_key
                regions = by_server.setdefault(location.address, {})
                into = regions.setdefault(location.name, (location, []))[1]
            into.append(index)
        return {address: list(regions.values()) for address, regions in by_server.items()}

    def _send(self, groups: dict[Address, list[Group]], attempts: Attempts) -> Operation[None]:
        if not groups:
            return
        timeout_s = attempts.call_timeout_s()
        calls: list[Call] = []
        sent: list[list[wire.RegionBatch]] = []
        for address, regions in groups.items():
            batches = [
                wire.RegionBatch(location.name, [self._actions[index] for index in indexes])
                for location, indexes in regions
            ]
            message, cells = wire.multi_request(batches, self._core.nonce_group)
            calls.append(Call(address, CLIENT, "Multi", message, timeout_s, cells))
            sent.append(batches)
        outcomes: list[Outcome] = yield Parallel(calls)
        for (address, regions), batches, outcome in zip(
            groups.items(), sent, outcomes, strict=True
        ):
            if isinstance(outcome, RaybaseError):
                attempts.note(outcome, address)
                for location, indexes in regions:
                    yield from self._region_failed(location, indexes, outcome)
                continue
            answers = wire.multi_outcomes(outcome, batches)
            for (location, indexes), answer in zip(regions, answers, strict=True):
                yield from self._take(location, indexes, answer)

    def _take(
        self,
        location: RegionLocation,
        indexes: list[int],
        answer: RaybaseError | list[Result | RaybaseError],
    ) -> Operation[None]:
        if isinstance(answer, RaybaseError):
            yield from self._region_failed(location, indexes, answer)
            return
        worst: RaybaseError | None = None
        for index, outcome in zip(indexes, answer, strict=True):
            if isinstance(outcome, RaybaseError):
                self._failed(index, outcome)
                worst = outcome if is_retryable(outcome) else worst
            else:
                self._outcomes[index] = outcome
        if worst is not None:
            self._core.cache.learn(location, worst)

    def _region_failed(
        self, location: RegionLocation, indexes: list[int], error: RaybaseError
    ) -> Operation[None]:
        if is_retryable(error):
            try:
                yield from self._core.learn(self._table, location, error)
            except InvalidRequestError as final:
                error = final
        for index in indexes:
            self._failed(index, error)

    def _failed(self, index: int, error: RaybaseError) -> None:
        """An error that will not go away is the action's outcome; else it is tried again."""
        if is_retryable(error):
            self._last_errors[index] = error
        else:
            self._outcomes[index] = error


def with_nonce(core: Core, mutation: Mutation, *, needed: bool = False) -> Mutation:
    """The mutation, with a nonce of its own if applying it twice would differ from once."""
    if mutation.nonce:
        return mutation
    if not needed and mutation.kind not in (MutationKind.APPEND, MutationKind.INCREMENT):
        return mutation
    changed = copy(mutation)
    changed.nonce = core.nonce()
    return changed


def _size(action: Action) -> int:
    if isinstance(action, Get):
        return 64
    size = 64 + len(action.row)
    for cell in action.cells:
        size += 32 + len(cell[1]) + len(cell[4])
    return size
