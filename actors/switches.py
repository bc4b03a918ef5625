"""Switches: what an operator has turned off, for this master and the next ones."""

from __future__ import annotations

from typing import Final

from ..coordination import layout
from ..errors import NodeExistsError, NoNodeError
from .session import Session

_DEFAULTS: Final = {layout.BALANCER: True, layout.NORMALIZER: True}


class Switches:
    """Kept in the coordinator's tree, a znode each, as HBase does. On unless turned off.

    ``load`` comes first. Source: BooleanStateStore.java, LoadBalancerStateStore.java.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._on = dict(_DEFAULTS)

    async def load(self) -> None:
        """Reads how the last master, or an operator, left them."""
        for path in _DEFAULTS:
            try:
                data, _ = await self._session.get(path)
            except NoNodeError:
                continue
            self._on[path] = bool(layout.decode_data(data)["on"])

    @property
    def balancer(self) -> bool:
        return self._on[layout.BALANCER]

    @property
    def normalizer(self) -> bool:
        return self._on[layout.NORMALIZER]

    async def set_balancer(self, on: bool) -> bool:
        """Durable when it returns; whether it was on."""
        return await self._set(layout.BALANCER, on)

    async def set_normalizer(self, on: bool) -> bool:
        """Durable when it returns; whether it was on."""
        return await self._set(layout.NORMALIZER, on)

    async def _set(self, path: str, on: bool) -> bool:
        data = layout.encode_data(on=on)
        try:
            await self._session.create(path, data)
        except NodeExistsError:
            await self._session.set(path, data)
        was, self._on[path] = self._on[path], on
        return was
