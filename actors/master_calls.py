"""MasterCalls: what all administrative RPCs share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import IllegalArgumentError
from ..model import TableName
from ..rpc.call import Call
from .observers import Action, Authorizer
from .procedures.procedure import Procedure

if TYPE_CHECKING:
    from .assignment import TableNode
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

    def tables_asked(
        self, request: Any, names: list[TableName], *, system: bool = False
    ) -> list[TableNode]:
        """Those asked for by name, or all that fit the namespace and the pattern."""
        assignment = self.master.term.assignment
        if names:
            return [one for one in map(assignment.table, names) if one is not None]
        try:
            pattern = re.compile(request.regex or ".*")
        except re.error as error:
            raise IllegalArgumentError(f"not a pattern: {request.regex!r}: {error}") from None
        return [
            one
            for one in assignment.tables(system=system)
            if request.namespace in ("", one.descriptor.name.namespace)
            and pattern.fullmatch(str(one.descriptor.name))
        ]
