"""MasterCalls: what all administrative RPCs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model import TableName
from ..rpc.call import Call
from .observers import Action, Authorizer
from .procedures.procedure import Procedure

if TYPE_CHECKING:
    from .master import Master


class MasterCalls:
    """Base of the services of the master."""

    def __init__(self, master: Master, authorizer: Authorizer | None) -> None:
        self.master = master
        self._authorizer = authorizer

    def authorize(self, call: Call, action: Action, table: TableName | None = None) -> None:
        """Raises AccessDeniedError; comes before anything else in every call."""
        if self._authorizer is not None:
            self._authorizer.authorize(call.context, action, table)

    async def submit(self, call: Call, procedure: Procedure) -> int:
        """The procedure's id; for a request sent again with its nonce, that of the first."""
        request: Any = call.request
        nonce = ""
        if request.nonce:
            nonce = f"{call.peer.user}/{request.nonce_group}/{request.nonce}"
        return await self.master.term.executor.submit(procedure, nonce)
