"""A user's own code in the simulation."""

import asyncio

import pytest

from raybase.client.async_connection import AsyncConnection
from raybase.testing import UncaughtError, simulate

pytestmark = pytest.mark.simulation


async def count_to_fifty(connection: AsyncConnection) -> int:
    await connection.admin.create_table("t", ["f"])
    table = connection.table("t")
    for _ in range(50):
        await table.increment(b"row", {"f:n": 1})
        await asyncio.sleep(0.2)
    return (await table.get(b"row")).number("f:n")


@pytest.mark.parametrize("seed", range(3))
def test_an_application_counts_right_while_the_cluster_is_under_fire(seed: int) -> None:
    assert simulate(count_to_fifty, seed) == 50


def test_what_the_application_raises_comes_out() -> None:
    async def fails(connection: AsyncConnection) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        simulate(fails, 1)


def test_what_the_application_leaves_uncaught_comes_out() -> None:
    async def careless(connection: AsyncConnection) -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0.1)

    with pytest.raises(UncaughtError, match="ZeroDivisionError"):
        simulate(careless, 1)
