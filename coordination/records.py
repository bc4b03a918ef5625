"""What the coordinator's log holds: every transaction, as it was asked for.

Applied in order to the state before them, records give the state after them, answers and
events included; so a restarted coordinator knows whatever it had told anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import (
    BadArgumentsError,
    BadVersionError,
    CoordinationError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
)
from .requests import Operation, Result


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Begins the session whose id is this record's ``zxid``; ``nonce`` tells repeats."""

    zxid: int
    time_ms: int
    nonce: int
    holder: str
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Ends a session and removes its ephemeral znodes."""

    zxid: int
    time_ms: int
    session_id: int
    expired: bool


@dataclass(frozen=True, slots=True)
class Request:
    """An operation that changes the state: a write, or a read that sets a watch.

    ``lowest_xid`` is the lowest request the session has no answer to, ``seen`` the last event
    it has got: what lies below need not be kept for it.
    """

    zxid: int
    time_ms: int
    session_id: int
    xid: int
    lowest_xid: int
    seen: int
    operation: Operation


Record = OpenSession | CloseSession | Request

ERROR_CODES: Final[dict[type[CoordinationError], int]] = {
    BadArgumentsError: -8,
    NoNodeError: -101,
    BadVersionError: -103,
    NoChildrenForEphemeralsError: -108,
    NodeExistsError: -110,
    NotEmptyError: -111,
}
"""ZooKeeper's codes (KeeperException.java). They stand in files: never change one."""
_ERRORS: Final = {code: error for error, code in ERROR_CODES.items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a Request came to, kept until the session has it; ``code`` 0 is success.

    The result of a Multi that failed is the place of the operation that did.
    """

    xid: int
    zxid: int
    result: Result
    code: int = 0
    message: str = ""

    @classmethod
    def failed(cls, xid: int, zxid: int, error: CoordinationError) -> Answer:
        return cls(xid, zxid, error.place, ERROR_CODES[type(error)], str(error))

    @property
    def error(self) -> CoordinationError | None:
        if not self.code:
            return None
        error = _ERRORS[self.code](self.message)
        error.place = self.result if isinstance(self.result, int) else None
        return error
