"""Drainer: moves the regions off the servers that are being drained."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ..model import ServerName
from .assignment import TransitionState
from .procedures.environment import MasterEnvironment
from .procedures.move import MoveProcedure

log = logging.getLogger(__name__)

DRAIN_S: Final = 0.2
"""Between two rounds."""
_MOVES_AT_ONCE: Final = 8
"""Of one server: its other regions are served meanwhile."""
_AGAIN_S: Final = 2.0
"""Before a region that did not move is moved again."""


class Drainer:
    """Every round begins some moves, until nothing is left to move.

    ``idle_on(server)`` names the regions that are open there and in no procedure's hands. A
    region whose move fails is moved in a later round. Source: HMaster.decommissionRegionServers.
    """

    def __init__(
        self, environment: MasterEnvironment, idle_on: Callable[[ServerName], list[str]]
    ) -> None:
        self._environment = environment
        self._idle_on = idle_on
        self._moved_s: dict[str, float] = {}
        """When the move of a region was begun, of late."""

    async def run(self) -> None:
        """One round; returns when its moves are stored."""
        draining = self._environment.draining
        await draining.forget_dead()
        now_s = self._environment.runtime.clock.monotonic_s()
        self._moved_s = {
            encoded: begun_s
            for encoded, begun_s in self._moved_s.items()
            if now_s - begun_s < _AGAIN_S
        }
        for server in draining.to_empty():
            await self._unload(server)

    async def _unload(self, server: ServerName) -> None:
        environment = self._environment
        assignment = environment.assignment
        idle = self._idle_on(server)
        open_ = [one.state == TransitionState.OPEN for one in assignment.regions_on(server)]
        free = max(0, _MOVES_AT_ONCE - (sum(open_) - len(idle)))
        for encoded in [one for one in idle if one not in self._moved_s][:free]:
            node = assignment.region(encoded)
            if node is None or not environment.draining.staying():
                return
            self._moved_s[encoded] = environment.runtime.clock.monotonic_s()
            target = await environment.pick_server(node.info.table)
            assignment.plan(node, target)
            log.info("moving %s off %s to %s", node.info, server, target)
            await environment.executor.submit(
                MoveProcedure(
                    region=node.info,
                    destination=str(target),
                    reason=f"{server} is being drained",
                )
            )
