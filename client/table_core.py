"""Operations on one table's rows, without I/O."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import BatchError, RaybaseError
from ..model import TableName
from ..operations import Condition, Get, Mutation, Scan
from ..rpc.client import Answer
from . import wire
from .arguments import check_action, check_one_row
from .batch import Action, Batch, with_nonce
from .core import CLIENT, Core
from .effects import Call, Operation
from .location import RegionLocation
from .result import CheckedResult, Result
from .scan import Scanner


class TableCore:
    """One table as operations see it; the shells' Table and AsyncTable drive them."""

    def __init__(self, core: Core, name: TableName) -> None:
        self.core = core
        self.name = name

    def get(self, get: Get) -> Operation[Result]:
        answer = yield from self.core.on_row(
            self.name, get.row, "Get", lambda at: wire.get_request(at, get)
        )
        return wire.got(answer, get.row)

    def exists(self, get: Get) -> Operation[bool]:
        answer = yield from self.core.on_row(
            self.name, get.row, "Get", lambda at: wire.get_request(at, get)
        )
        return bool(answer.message.result.exists)

    def mutate(self, mutation: Mutation) -> Operation[Result]:
        """Applies one mutation; its result holds the new cells of an append or increment."""
        answer = yield from self._mutate(mutation, None)
        return wire.got(answer, mutation.row)

    def check_and_mutate(
        self, condition: Condition, mutations: Sequence[Mutation]
    ) -> Operation[CheckedResult]:
        """Applies all of the mutations or none, by what the condition says of the row."""
        check_one_row(condition.row, mutations, condition)
        if len(mutations) == 1:
            answer = yield from self._mutate(mutations[0], condition)
            result = wire.got(answer, condition.row)
            return CheckedResult(bool(answer.message.processed), result)
        return (yield from self.mutate_row(condition.row, mutations, condition))

    def mutate_row(
        self, row: bytes, mutations: Sequence[Mutation], condition: Condition | None = None
    ) -> Operation[CheckedResult]:
        """Applies several mutations of one row at once."""
        check_one_row(row, mutations, condition)
        for one in mutations:
            check_action(one, self.core.config.cell_bytes_max)
        needed = condition is not None
        prepared = [with_nonce(self.core, one, needed=needed) for one in mutations]
        return (yield from self._atomic(row, prepared, condition))

    def many(self, actions: Sequence[Action]) -> Operation[list[Result | RaybaseError]]:
        """The outcome of each action; see Batch."""
        return (yield from Batch(self.core, self.name, actions).run())

    def many_or_raise(self, actions: Sequence[Action]) -> Operation[list[Result]]:
        """The results, or BatchError if any action failed."""
        outcomes = yield from self.many(actions)
        failures = {
            index: one for index, one in enumerate(outcomes) if isinstance(one, RaybaseError)
        }
        if failures:
            raise BatchError(len(outcomes), failures)
        return [one for one in outcomes if isinstance(one, Result)]

    def scanner(self, scan: Scan) -> Scanner:
        return Scanner(self.core, self.name, scan)

    def _atomic(
        self, row: bytes, mutations: Sequence[Mutation], condition: Condition | None
    ) -> Operation[CheckedResult]:
        """One Multi of one atomic batch. Its region can refuse it inside the answer."""
        attempts = self.core.attempts(
            lambda: f"changing row {row[:64]!r} of table {self.name} at once"
        )
        while True:
            location: RegionLocation | None = None
            try:
                location = yield from self.core.locate(self.name, row)
                batch = wire.atomic_batch(location, mutations, condition)
                message, cells = wire.multi_request([batch], self.core.nonce_group)
                timeout_s = attempts.call_timeout_s()
                answer: Answer = yield Call(
                    location.address, CLIENT, "Multi", message, timeout_s, cells
                )
                return wire.atomic_answer(answer, batch)
            except RaybaseError as error:
                pause = attempts.failed(error, location.address if location else None)
                yield from self.core.learn(self.name, location, error)
                yield pause

    def _mutate(self, mutation: Mutation, condition: Condition | None) -> Operation[Answer]:
        check_action(mutation, self.core.config.cell_bytes_max)
        mutation = with_nonce(self.core, mutation, needed=condition is not None)
        return (
            yield from self.core.on_row(
                self.name,
                mutation.row,
                "Mutate",
                lambda at: wire.mutate_request(at, mutation, condition, self.core.nonce_group),
            )
        )
