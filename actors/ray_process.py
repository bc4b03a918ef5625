"""The one Ray actor of raybase: a coordinator, a master or a region server inside it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from typing import Any, Protocol

import ray

from .. import __version__
from ..config import ClusterConfig
from ..errors import ClusterError, UnsupportedOperationError
from .coordinator import Coordinator
from .master import Master
from .ray_runtime import end_now, runtime_of
from .region_server import RegionServer

log = logging.getLogger(__name__)

_SWITCH_INTERVAL_S = 0.0005
"""With Python's 5 ms a call waited 1.9 s behind a flush; with 0.5 ms, 14 ms."""
_GC_THRESHOLDS = (50_000, 50, 1_000_000)
"""Hardly ever a full collection: it would visit every cell in memory."""


class Role(Protocol):
    """What the three kinds of process have in common."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


_ROLES: dict[str, Any] = {
    "coordinator": Coordinator,
    "master": Master,
    "region_server": RegionServer,
}


class ClusterProcess:
    """An async actor that hands control calls to the process it carries.

    Its first call is its own, from the constructor: so an actor that Ray began anew after a
    death starts serving again without anybody's knowing of it.
    """

    def __init__(
        self,
        role: str,
        name: str,
        namespace: str,
        root: str,
        config: ClusterConfig,
        arguments: dict[str, Any],
    ) -> None:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        self._role = role
        self._name = name
        self._root = root
        self._config = config
        runtime = runtime_of(root, namespace, name, config)
        self._process: Role = _ROLES[role](runtime, name, config, **arguments)
        self._started: asyncio.Future[None] | None = None
        ray.get_runtime_context().current_actor.invoke.remote("start", ())

    async def invoke(self, method: str, args: tuple[Any, ...]) -> Any:
        """Runs a control method of the process. Raises whatever that raises."""
        if method == "describe":
            return self.describe()
        if self._started is None:
            self._started = asyncio.ensure_future(self._start())
        await asyncio.shield(self._started)
        if method == "start":
            return None
        handler = None if method.startswith("_") else getattr(self._process, method, None)
        if handler is None:
            raise UnsupportedOperationError(f"a {self._role} has no control call {method!r}")
        return await handler(*args)

    async def _start(self) -> None:
        try:
            await self._process.start()
        except ClusterError:
            raise
        except Exception:
            log.exception("%s could not start", self._name)
            if self._role == "region_server":
                end_now()
            raise

    def describe(self) -> dict[str, Any]:
        """What a caller compares with its own version and configuration."""
        return {
            "version": __version__,
            "role": self._role,
            "name": self._name,
            "root": self._root,
            "config": self._config.as_dict(),
            "pid": os.getpid(),
            "node": ray.get_runtime_context().get_node_id(),
            "python": sys.version.split()[0],
            "ray": ray.__version__,
        }
