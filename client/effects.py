"""What an operation asks of the world: calls to servers, pauses, shared work.

An operation is a generator. It yields effects, and is sent their outcomes or thrown their
errors; it opens no socket and reads no clock of its own. A shell (blocking or asyncio) drives
it. So the rules of the client are written once, and tested against a script.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message

from ..errors import RaybaseError
from ..rpc.client import Answer
from ..storage.cells import CellBatch

T = TypeVar("T")

Address = tuple[str, int]
"""(host, port)"""


class MonotonicClock(Protocol):
    """The part of a clock that the client's rules need."""

    def monotonic_s(self) -> float: ...


@dataclass(slots=True)
class Call:
    """One call of a server. Outcome: an Answer.

    Throws ConnectionLostError if the server cannot be reached or the connection breaks,
    CallTimedOutError after ``timeout_s``, else what the server answered as an error.
    """

    address: Address
    service: str
    method: str
    message: Message
    timeout_s: float
    cells: CellBatch | bytes | None = None


@dataclass(slots=True)
class Parallel:
    """Several calls at the same time. Outcome: for each its Answer or its error, in order."""

    calls: Sequence[Call]


@dataclass(slots=True)
class Begin:
    """Sends a call without waiting. Outcome: a ticket for Finish. Throws nothing."""

    call: Call


@dataclass(slots=True)
class Finish:
    """Waits for a call begun before. Outcome and errors are Call's.

    With ``abandon`` it waits for nothing: the answer is dropped when it comes.
    """

    ticket: Any
    abandon: bool = False


@dataclass(slots=True)
class Sleep:
    delay_s: float


@dataclass(slots=True)
class Shared:
    """Work that several operations may want at once and that is done once (a lookup).

    Outcome: what the operation returns; throws what it throws.
    """

    key: object
    start: Callable[[], Operation[Any]]


@dataclass(slots=True)
class FindServers:
    """Asks the registry for servers to begin with. Outcome: list[Address], never empty.

    Throws MasterNotRunningError if the registry knows none now, ClusterError if there is no
    cluster to ask.
    """


Effect = Call | Parallel | Begin | Finish | Sleep | Shared | FindServers

Operation = Generator[Effect, Any, T]

Outcome = Answer | RaybaseError
