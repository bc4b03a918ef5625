"""ProcedureExecutor: runs procedures, stores each before it goes on, takes them up again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from ...errors import (
    FatalError,
    InvalidRequestError,
    ProcedureAbortedError,
    RaybaseError,
    SessionExpiredError,
    StaleMasterError,
)
from ..waiting import Waits, waiting
from . import codec
from .locks import LockTable
from .procedure import DONE, Children, Procedure, ProcedureState, StepResult, restored

if TYPE_CHECKING:
    from .environment import MasterEnvironment

log = logging.getLogger(__name__)

_BACKOFF_FIRST_S: Final = 0.1
_BACKOFF_MAX_S: Final = 30.0
_FINISHED_KEPT: Final = 256


class ProcedureStore(Protocol):
    """Where procedures survive their master."""

    async def load(self) -> dict[int, bytes]:
        """Every procedure stored, by id."""
        ...

    async def update(self, saved: Mapping[int, bytes], removed: Sequence[int] = ()) -> None:
        """All of it, durably, or nothing. Raises FencedError when a later master took over."""
        ...


class ProcedureExecutor:
    """Runs every procedure in a task of its own, one stored step after another.

    - ``submit`` returns when the procedure is stored; from then on it ends, whatever dies.
    - At most one procedure is at work on a region, and its table and server locks hold too.
    - The last ended ones are remembered, so that clients can ask for their outcome and the
      same request sent again finds its procedure.

    ``on_fatal`` is called once when this master must end: it was fenced, or its session is
    over. Source: ProcedureExecutor.java.
    """

    def __init__(
        self,
        store: ProcedureStore,
        kinds: Mapping[str, type[Procedure]],
        environment: MasterEnvironment,
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._environment = environment
        self._on_fatal = on_fatal
        self._procedures: dict[int, Procedure] = {}
        self._ended: dict[int, asyncio.Event] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._nonces: dict[str, int] = {}
        self._submissions: dict[int, asyncio.Event] = {}
        """Of those that are being stored for the first time."""
        self._loaded: list[Procedure] = []
        self._waits: dict[int, Waits] = {}
        """What those that run wait for, in words."""
        self._last_id = 0
        self._locks = LockTable(self._ancestors)

    async def load(self) -> None:
        """Reads the store. Raises CorruptionError, FencedError."""
        for procedure_id, data in sorted((await self._store.load()).items()):
            procedure = restored(procedure_id, data, self._kinds)
            self._add(procedure)
            if not procedure.is_over:
                self._loaded.append(procedure)

    def start_recovery(self) -> None:
        """Goes on with what has to be done before hbase:meta can be read."""
        for procedure in self._loaded:
            procedure.restore(self._environment)
        self._go_on([one for one in self._loaded if one.is_recovery])

    def start(self) -> None:
        """Goes on with everything else that ``load`` found unfinished.

        What had begun comes first, so that it has its locks again before anybody else.
        """
        self._go_on(list(self._loaded))

    def _go_on(self, procedures: Sequence[Procedure]) -> None:
        self._loaded = [one for one in self._loaded if one not in procedures]
        for procedure in sorted(procedures, key=lambda one: (not one.begun, one.id)):
            self._run(procedure)

    async def stop(self) -> None:
        """Ends all tasks where they stand; the store has what the next master needs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, procedure: Procedure, nonce: str = "") -> int:
        """Stores and starts the procedure; its id. With a nonce seen before: the earlier id."""
        if nonce and nonce in self._nonces:
            known = self._nonces[nonce]
            if known in self._submissions:
                await self._submissions[known].wait()
            return known
        procedure.nonce = nonce
        self._prepare(procedure)
        self._submissions[procedure.id] = asyncio.Event()
        try:
            await self._save(procedure)
        except Exception as error:
            self._on_fatal(error)
            raise
        self._submissions.pop(procedure.id).set()
        self._run(procedure)
        return procedure.id

    def abort(self, procedure_id: int, *, interrupt: bool = True) -> bool:
        """Has a procedure undone that has not come to its point of no return; whether it will be.

        Not if it has ended, is part of another one, or, without ``interrupt``, has its locks
        already. It fails with ProcedureAbortedError when the step that is under way has ended. A
        master that begins meanwhile does not know of it and goes on.
        Source: ProcedureExecutor.java, StateMachineProcedure.java.
        """
        procedure = self._procedures.get(procedure_id)
        if procedure is None or procedure.is_over or procedure.parent:
            return False
        if procedure.state == ProcedureState.RUNNABLE and not interrupt:
            return False
        if procedure.can_be_aborted:
            procedure.aborted = True
        return procedure.aborted

    async def wait(self, procedure_id: int) -> Procedure:
        """The procedure, when it has ended. Raises the error it ended with."""
        await self._ended[procedure_id].wait()
        procedure = self._procedures[procedure_id]
        error = procedure.outcome()
        if error is not None:
            raise error
        return procedure

    def get(self, procedure_id: int) -> Procedure | None:
        """None: never heard of, or ended long ago."""
        return self._procedures.get(procedure_id)

    def all(self) -> list[Procedure]:
        return list(self._procedures.values())

    def unfinished(self) -> list[Procedure]:
        return [one for one in self._procedures.values() if not one.is_over]

    @property
    def locks(self) -> LockTable:
        """Who holds what, and who waits for it."""
        return self._locks

    def reason(self, procedure: Procedure) -> str:
        """Why it is where it is, for people; empty if it has ended."""
        if procedure.is_over:
            return ""
        blockers = self._locks.blockers(procedure.id)
        if blockers:
            return "waits for " + ", ".join(
                f"{lock.key}, {'held' if holds else 'asked for before'} by procedure {other}"
                for lock, other, holds in blockers
            )
        unfinished = [
            child
            for child in procedure.children
            if child in self._procedures and not self._procedures[child].is_over
        ]
        if unfinished:
            return f"waits for its procedures {', '.join(map(str, unfinished))}"
        waits = self._waits[procedure.id].describe() if procedure.id in self._waits else ""
        if waits:
            return f"waits {waits}"
        if procedure in self._loaded:
            return "waits for hbase:meta to be served and read"
        return procedure.trouble or "at work"

    # -- running ---------------------------------------------------------------------------

    def _ancestors(self, procedure_id: int) -> list[int]:
        found: list[int] = []
        procedure = self._procedures.get(procedure_id)
        while procedure is not None and procedure.parent:
            found.append(procedure.parent)
            procedure = self._procedures.get(procedure.parent)
        return found

    def _add(self, procedure: Procedure) -> None:
        self._procedures[procedure.id] = procedure
        self._last_id = max(self._last_id, procedure.id)
        self._ended[procedure.id] = asyncio.Event()
        if procedure.is_over:
            self._ended[procedure.id].set()
        if procedure.nonce:
            self._nonces[procedure.nonce] = procedure.id

    def _prepare(self, procedure: Procedure) -> None:
        procedure.id = self._last_id + 1
        procedure.submitted_ms = self._environment.runtime.clock.now_ms()
        self._add(procedure)

    def _run(self, procedure: Procedure) -> None:
        task = asyncio.get_running_loop().create_task(
            self._guarded(procedure), name=f"procedure {procedure.id}"
        )
        self._tasks[procedure.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(procedure.id, None))

    async def _guarded(self, procedure: Procedure) -> None:
        waits = self._waits[procedure.id] = Waits(self._environment.runtime.clock)
        waits.collect()
        try:
            await self._execute(procedure)
        except Exception as error:
            # Steps are tried again for ever: what arrives here is the end of this master's
            # term, or a store that cannot be written, and then nothing may be done either.
            self._on_fatal(error)
        finally:
            self._waits.pop(procedure.id, None)

    async def _execute(self, procedure: Procedure) -> None:
        await self._locks.acquire(procedure.id, procedure.locks())
        procedure.state = ProcedureState.RUNNABLE.value
        while not procedure.is_over:
            if procedure.children:
                await self._await_children(procedure)
            try:
                result = await self._step(procedure)
            except InvalidRequestError as error:
                procedure.fail(error)
                result = None
            await self._advance(procedure, result)
        self._locks.release(procedure.id)
        self._ended[procedure.id].set()
        log.info("procedure %d, %s: %s", procedure.id, procedure.describe(), procedure.state)
        if not procedure.parent:
            await self._forget_old()

    async def _await_children(self, procedure: Procedure) -> None:
        for child in procedure.children:
            if child in self._ended:
                await self._ended[child].wait()

    async def _step(self, procedure: Procedure) -> StepResult:
        """Runs the step until it gets through. Raises what may end the procedure."""
        environment = self._environment
        procedure.attempts = 0
        while not _is_aborted(procedure):
            if procedure.needs_meta:
                with waiting("this master to have read hbase:meta"):
                    await environment.assignment.loaded.wait()
            try:
                result = await procedure.run_step(environment)
            except (FatalError, SessionExpiredError, StaleMasterError):
                raise
            except Exception as error:
                if isinstance(error, InvalidRequestError) and procedure.step in procedure.may_fail:
                    raise
                await self._pause(procedure, error)
            else:
                procedure.trouble = ""
                return _way_back(procedure) if _is_aborted(procedure) else result
        return _way_back(procedure)

    async def _pause(self, procedure: Procedure, error: Exception) -> None:
        procedure.attempts += 1
        procedure.trouble = f"{procedure.step}: {type(error).__name__}: {error}"
        expected = isinstance(error, RaybaseError | OSError)
        log.warning(
            "procedure %d, %s, tries again after %s",
            procedure.id,
            procedure.describe(),
            procedure.trouble,
            exc_info=None if expected else error,
        )
        delay_s = min(_BACKOFF_FIRST_S * 2 ** min(procedure.attempts - 1, 16), _BACKOFF_MAX_S)
        jitter = self._environment.runtime.entropy.uniform(0.9, 1.1)
        with waiting(f"try {procedure.attempts + 1} of its step, {delay_s:.0f} s on") as wait:
            wait.trouble = procedure.trouble
            await self._environment.runtime.clock.sleep(delay_s * jitter)

    async def _advance(self, procedure: Procedure, result: StepResult) -> None:
        over = procedure.children
        procedure.children = ()
        procedure.begun = True
        children: Sequence[Procedure] = ()
        if result is None:
            failed = procedure.error is not None
            state = ProcedureState.FAILED if failed else ProcedureState.FINISHED
            procedure.state = state.value
        elif isinstance(result, Children):
            children = result.procedures
            for child in children:
                child.parent = procedure.id
                self._prepare(child)
            procedure.children = tuple(child.id for child in children)
            procedure.step = result.then
        else:
            procedure.step = result
        await self._save(procedure, *children, removed=over)
        # Only now that the step is stored: the next master holds what the stored step wants.
        self._locks.reduce(procedure.id, procedure.locks())
        for child_id in over:
            self._drop(child_id)
        for child in children:
            self._run(child)

    async def _save(self, *procedures: Procedure, removed: Sequence[int] = ()) -> None:
        now_ms = self._environment.runtime.clock.now_ms()
        for procedure in procedures:
            procedure.updated_ms = now_ms
        saved = {one.id: codec.encode(one.to_fields()) for one in procedures}
        with waiting("the procedure store to be written"):
            await self._store.update(saved, removed)

    def _drop(self, procedure_id: int) -> None:
        procedure = self._procedures.pop(procedure_id, None)
        self._ended.pop(procedure_id, None)
        if procedure is not None and procedure.nonce:
            self._nonces.pop(procedure.nonce, None)

    async def _forget_old(self) -> None:
        """The newest stay, so that no client is ever given an id for the second time."""
        over = [one.id for one in self._procedures.values() if one.is_over and not one.parent]
        if len(over) <= 2 * _FINISHED_KEPT:
            return
        old = sorted(over)[:-_FINISHED_KEPT]
        for procedure_id in old:
            self._drop(procedure_id)
        await self._store.update({}, old)


def _is_aborted(procedure: Procedure) -> bool:
    return procedure.aborted and procedure.can_be_aborted


def _way_back(procedure: Procedure) -> StepResult:
    procedure.fail(ProcedureAbortedError(f"{procedure.describe()}: somebody had it aborted"))
    return procedure.undone_by.get(procedure.step, DONE)
