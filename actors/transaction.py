"""Several operations on znodes as one transaction, with the outcome of each: kazoo's
``TransactionRequest``."""

from __future__ import annotations

from ..coordination.requests import ANY_VERSION, Check, Create, Delete, SetData
from ..coordination.znode import Stat
from ..errors import (
    CoordinationError,
    RolledBackError,
    RuntimeInconsistency,
    SessionExpiredError,
)
from .session import Session

Outcome = str | Stat | bool | CoordinationError


class Transaction:
    """Collects operations; ``commit`` applies all of them or none::

    transaction = Transaction(session)
    transaction.check("/config", version=3)
    transaction.set_data("/config/size", b"4")
    outcomes = await transaction.commit()
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._operations: list[Create | Delete | SetData | Check] = []

    def create(
        self, path: str, data: bytes = b"", *, ephemeral: bool = False, sequence: bool = False
    ) -> None:
        """Its outcome is the znode's path."""
        self._operations.append(Create(path, data, ephemeral, sequence))

    def delete(self, path: str, version: int = ANY_VERSION) -> None:
        """Its outcome is True."""
        self._operations.append(Delete(path, version))

    def set_data(self, path: str, data: bytes, version: int = ANY_VERSION) -> None:
        """Its outcome is the znode's Stat."""
        self._operations.append(SetData(path, data, version))

    def check(self, path: str, version: int) -> None:
        """The transaction fails unless the znode has this version. Its outcome is True."""
        self._operations.append(Check(path, version))

    async def commit(self) -> list[Outcome]:
        """One outcome for each operation, in their order; raises SessionExpiredError.

        If an operation fails, nothing is applied: its outcome is its error, that of those
        before it RolledBackError, that of those after it RuntimeInconsistency. An error that
        no single operation is to blame for (all of them together are too large) is raised.
        """
        try:
            results = await self._session.multi(self._operations)
        except SessionExpiredError:
            raise
        except CoordinationError as error:
            if error.place is None:
                raise
            outcomes: list[Outcome] = [RolledBackError() for _ in range(error.place)]
            untried = len(self._operations) - error.place - 1
            return [*outcomes, error, *(RuntimeInconsistency() for _ in range(untried))]
        return [True if one is None else one for one in results]
