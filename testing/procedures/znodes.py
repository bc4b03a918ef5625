"""The coordinator's part in a master's term: a tree of znodes, and sessions on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ...coordination import layout
from ...errors import NodeExistsError, NoNodeError


class Znodes:
    """A coordinator's tree, shared by all; watches are called on their owners' loops."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {layout.REGION_SERVERS: b"", layout.DRAINING: b""}
        self.watches: dict[str, list[tuple[asyncio.AbstractEventLoop, Callable[[Any], None]]]] = {}

    def children(self, path: str) -> list[str]:
        prefix = path + "/"
        names = [one[len(prefix) :] for one in self.data if one.startswith(prefix)]
        return sorted(one for one in names if "/" not in one)

    def put(self, path: str, data: bytes) -> None:
        self.data[path] = data
        self._fire(path.rpartition("/")[0])

    def remove(self, path: str) -> None:
        self.data.pop(path, None)
        self._fire(path.rpartition("/")[0])

    def _fire(self, path: str) -> None:
        for loop, watch in self.watches.pop(path, []):
            loop.call_soon(watch, None)


class FakeSession:
    """What the master uses of actors/session.py."""

    def __init__(self, znodes: Znodes) -> None:
        self._znodes = znodes

    async def get_children(
        self, path: str, watch: Callable[[Any], None] | None = None
    ) -> list[str]:
        if path not in self._znodes.data:
            raise NoNodeError(path)
        if watch is not None:
            loop = asyncio.get_running_loop()
            self._znodes.watches.setdefault(path, []).append((loop, watch))
        return self._znodes.children(path)

    async def get(self, path: str) -> tuple[bytes, None]:
        if path not in self._znodes.data:
            raise NoNodeError(path)
        return self._znodes.data[path], None

    async def create(self, path: str, data: bytes = b"", **_: bool) -> str:
        if path in self._znodes.data:
            raise NodeExistsError(path)
        self._znodes.put(path, data)
        return path

    async def set(self, path: str, data: bytes) -> None:
        self._znodes.data[path] = data

    async def delete(self, path: str) -> None:
        if path not in self._znodes.data:
            raise NoNodeError(path)
        self._znodes.remove(path)

    async def ensure_path(self, path: str) -> None:
        self._znodes.data.setdefault(path, b"")
