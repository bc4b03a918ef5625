"""Procedure: a change of the cluster as persisted steps that any master can go on with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ... import errors
from ...errors import CorruptionError, InvalidRequestError, RaybaseError
from . import codec

if TYPE_CHECKING:
    from ...model import RegionInfo
    from .environment import MasterEnvironment


class ProcedureState(StrEnum):
    WAITING = "WAITING"
    """For its locks."""
    RUNNABLE = "RUNNABLE"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Lock:
    """A claim on a namespace, table, region or server, for as long as the procedure lives."""

    key: str
    exclusive: bool

    @classmethod
    def namespace(cls, name: str, *, exclusive: bool) -> Lock:
        return cls(f"namespace {name}", exclusive)

    @classmethod
    def table(cls, name: object, *, exclusive: bool) -> Lock:
        return cls(f"table {name}", exclusive)

    @classmethod
    def region(cls, encoded: str) -> Lock:
        return cls(f"region {encoded}", exclusive=True)

    @classmethod
    def server(cls, name: object) -> Lock:
        return cls(f"server {name}", exclusive=True)


@dataclass(frozen=True)
class Children:
    """Ends a step: these procedures run, and when all have ended, ``then`` is the next step."""

    procedures: Sequence[Procedure]
    then: str


DONE = None
"""Ends the last step."""

StepResult = str | Children | None


def _volatile(default: Any) -> Any:
    return field(default=default, metadata={"volatile": True}, compare=False)


@dataclass(kw_only=True)
class Procedure(ABC):
    """One change of the cluster, in named steps.

    A step is a coroutine method of that name, which takes the environment and returns the
    name of the next step, ``Children`` or DONE. What stands in the fields is stored before
    the next step begins, so that after a crash the step that was under way runs again: every
    step may run any number of times, and may find its own work done. The first step has no
    effect outside the master's memory: a procedure that was stored and no more did nothing.

    A step that raises is tried again, later and later, for ever; only what ``may_fail`` says
    ends the procedure with that error. Undoing is a step like any other.

    Source: Procedure.java, StateMachineProcedure.java.
    """

    kind: ClassVar[str]
    """Its name in the store: never change one."""
    first_step: ClassVar[str]
    may_fail: ClassVar[frozenset[str]] = frozenset()
    """Steps in which an InvalidRequestError ends the procedure."""
    undone_by: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Steps at which it may still be aborted -> the step that undoes what was done up to and
    with them."""

    id: int = 0
    parent: int = 0
    step: str = ""
    children: tuple[int, ...] = ()
    """Those it waits for."""
    begun: bool = False
    """Whether a step was completed, so that it may have changed something."""
    nonce: str = ""
    """Of the client's request; the same request again gets the same procedure."""
    submitted_ms: int = 0
    updated_ms: int = 0
    state: str = ProcedureState.WAITING.value
    error: tuple[str, str] | None = None
    """Class name and message, when FAILED."""

    trouble: str = _volatile("")
    """Why the step that is under way does not get on; for people."""
    attempts: int = _volatile(0)
    aborted: bool = _volatile(False)
    """Whether somebody wants it aborted; the next master does not know."""

    def __post_init__(self) -> None:
        if not self.step:
            self.step = self.first_step
        self.children = tuple(self.children)
        if self.error is not None:
            self.error = (self.error[0], self.error[1])

    @abstractmethod
    def locks(self) -> Sequence[Lock]:
        """What it holds from its first step on. At a later step it may be less, or shared
        instead of exclusive, never more."""

    @abstractmethod
    def describe(self) -> str:
        """What it does, to what; for people."""

    def additions(self) -> Sequence[RegionInfo]:
        """Regions that it will enter into hbase:meta, beyond those whose place they take."""
        return ()

    def restore(self, environment: MasterEnvironment) -> None:  # noqa: B027 - most have none
        """Tells the environment of a procedure read from the store, before any of them runs."""

    def to_fields(self) -> dict[str, Any]:
        """What is stored."""
        body = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if not one.metadata.get("volatile")
        }
        body["kind"] = self.kind
        return body

    @property
    def is_over(self) -> bool:
        return self.state in (ProcedureState.FINISHED, ProcedureState.FAILED)

    @property
    def is_recovery(self) -> bool:
        """Whether a new master goes on with it before it reads hbase:meta."""
        return False

    @property
    def needs_meta(self) -> bool:
        """Whether the step at hand needs what stands in hbase:meta."""
        return True

    @property
    def can_be_aborted(self) -> bool:
        """Whether there is a way back from the step at hand, however far that has got: the
        first one has no effect."""
        return self.step in self.undone_by or (
            self.step == self.first_step and self.step in self.may_fail
        )

    async def run_step(self, environment: MasterEnvironment) -> StepResult:
        method = getattr(self, self.step)
        result: StepResult = await method(environment)
        return result

    def fail(self, error: RaybaseError) -> None:
        """Makes the error the outcome; the procedure still runs to its last step."""
        self.error = (type(error).__name__, str(error))

    def outcome(self) -> RaybaseError | None:
        """The error it ended with, as an exception of its own class."""
        if self.error is None:
            return None
        name, message = self.error
        found = getattr(errors, name, InvalidRequestError)
        if isinstance(found, type) and issubclass(found, InvalidRequestError):
            return found(message)
        return InvalidRequestError(message)


def restored(procedure_id: int, data: bytes, kinds: Mapping[str, type[Procedure]]) -> Procedure:
    """The procedure whose state was stored.

    Raises CorruptionError if it is of no kind that this version knows, or not what one of its
    kind stores.
    """
    path = f"procedure {procedure_id}"
    body = codec.decode(path, data)
    kind = kinds.get(str(body.pop("kind", "")))
    if kind is None:
        raise CorruptionError(path, 0, "a procedure of a kind this version does not know")
    try:
        procedure = kind(**body)
    except (TypeError, ValueError, RaybaseError) as error:
        raise CorruptionError(path, 0, f"not what a {kind.kind!r} stores: {error}") from error
    if not callable(getattr(procedure, procedure.step, None)):
        raise CorruptionError(path, 0, f"a {kind.kind!r} has no step {procedure.step!r}")
    if procedure.id != procedure_id:
        raise CorruptionError(path, 0, f"it is the state of procedure {procedure.id}")
    return procedure
