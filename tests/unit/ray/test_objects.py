"""Ray's object store as a cache: who hangs in it is not waited for. No Ray is started here."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from raybase.actors import ray_runtime
from raybase.actors.ray_runtime import RayObjects
from raybase.errors import ObjectLostError


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_runtime, "STORE_TIMEOUT_S", 0.05)


def test_a_put_that_hangs_is_given_up_and_the_next_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A raylet that was stopped took its node's flushes, moves and splits with it."""
    awake = threading.Event()
    tried: list[Any] = []

    def put(array: Any) -> str:
        tried.append(array)
        awake.wait(10.0)
        return f"reference {len(tried)}"

    monkeypatch.setattr(ray_runtime.ray, "put", put)

    async def story() -> None:
        objects = RayObjects()
        for _ in range(3):
            with pytest.raises(ObjectLostError, match="answer"):
                await objects.put(b"data")
        assert len(tried) == 1
        awake.set()
        await asyncio.sleep(0.05)
        assert await objects.put(b"data") == "reference 2"

    asyncio.run(story())


def test_a_get_that_hangs_is_given_up() -> None:
    async def story() -> None:
        objects = RayObjects()
        never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with pytest.raises(ObjectLostError, match="no answer"):
            await objects.get(never)
        there: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        there.set_result(np.frombuffer(b"data", np.uint8))
        assert bytes(await objects.get(there)) == b"data"

    asyncio.run(story())
