"""Whom a client asks what it must know to begin: where hbase:meta is, and the active master.

Source: RpcConnectionRegistry, RegistryEndpointsRefresher.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from google.protobuf.message import Message

from ..errors import ConnectionLostError, RaybaseError
from ..rpc.client import Answer
from .effects import Address, Call, FindServers, Operation
from .retry import describe

REGISTRY: Final = "ClientMetaService"


class RegistryEndpoints:
    """The servers that answer for the registry, the last that answered first.

    What one of them names may be out of date, and it cannot know, so whoever named what turned
    out wrong is asked again only when no other answers.
    """

    def __init__(self) -> None:
        self._known: list[Address] = []
        self._doubted: dict[Address, None] = {}

    def doubt(self, address: Address) -> None:
        """What this one named was not there."""
        self._doubted.pop(address, None)
        self._doubted[address] = None

    def ask(
        self, method: str, message: Message, others: Sequence[Address], timeout_s: float
    ) -> Operation[tuple[Answer, Address]]:
        """An answer, and whose it is. ``others`` are servers heard of elsewhere.

        Raises:
            ConnectionLostError: none of the servers answers.
            RaybaseError: there is nobody to ask now; or what one answered, if it would
                be the same again.
        """
        errors: dict[Address, str] = {}

        def call(address: Address) -> Call:
            return Call(address, REGISTRY, method, message, timeout_s)

        found = yield from self._ask_each([*self._known, *others], call, errors)
        if found is None:
            yield from self._find()
            found = yield from self._ask_each(self._known, call, errors)
        if found is None:
            doubted, self._doubted = list(self._doubted), {}
            found = yield from self._ask_each(doubted, call, errors)
        if found is None:
            told = "; ".join(f"{host}:{port}: {why}" for (host, port), why in errors.items())
            raise ConnectionLostError(
                f"no server of the cluster answers: {told or 'none is known'}"
            )
        address = found[1]
        self._known = [address, *(one for one in self._known if one != address)]
        return found

    def _ask_each(
        self,
        candidates: Sequence[Address],
        call: Callable[[Address], Call],
        errors: dict[Address, str],
    ) -> Operation[tuple[Answer, Address] | None]:
        """The first answer of those that have not failed and are not doubted."""
        for address in candidates:
            if address in errors or address in self._doubted:
                continue
            try:
                answer: Answer = yield call(address)
            except RaybaseError as error:
                if error.do_not_retry:
                    raise
                errors[address] = describe(error)
                continue
            return answer, address
        return None

    def _find(self) -> Operation[None]:
        try:
            self._known = list((yield FindServers()))
        except RaybaseError:
            if not self._doubted:
                raise
            # Better one that may be wrong than none: the calls that follow show what it is.
