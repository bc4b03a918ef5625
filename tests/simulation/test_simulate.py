"""A user's own code in the simulation."""

import asyncio
import textwrap
from pathlib import Path

import pytest

from raybase.actors.procedures.crash import ServerCrashProcedure
from raybase.client.async_connection import AsyncConnection
from raybase.errors import StorageError
from raybase.testing import UncaughtError, UnsettledError, VirtualTimeoutError, simulate
from raybase.testing.mutants import Mutant, Patch

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


def test_a_failure_names_the_seed_what_was_done_and_how_to_see_it_again() -> None:
    async def fails_late(connection: AsyncConnection) -> None:
        await asyncio.sleep(15.0)
        raise LookupError("mine")

    trace: list[str] = []
    with pytest.raises(LookupError) as caught:
        simulate(fails_late, 11, trace=trace)
    (note,) = caught.value.__notes__
    assert "seed 11, at 15." in note
    assert "simulate(fails_late, seed=11" in note
    assert len(note.splitlines()) > 4
    assert len(trace) > 100
    again: list[str] = []
    with pytest.raises(LookupError):
        simulate(fails_late, 11, trace=again)
    assert again == trace


def test_an_application_that_is_not_done_in_time_is_told_so() -> None:
    async def sleeps(connection: AsyncConnection) -> None:
        await asyncio.sleep(1e6)

    with pytest.raises(VirtualTimeoutError) as caught:
        simulate(sleeps, 3, duration_s=0, timeout_s=60)
    assert "seed 3" in caught.value.__notes__[0]


def test_without_a_duration_nothing_fails() -> None:
    assert simulate(count_to_fifty, 1, duration_s=0) == 50


def test_a_cluster_that_does_not_come_back_is_told() -> None:
    async def creates(connection: AsyncConnection) -> None:
        await connection.admin.create_table("t", ["f"], splits=["m"])
        await asyncio.sleep(12.0)

    def gives_up(original: object) -> object:
        async def run_step(self: ServerCrashProcedure, environment: object) -> None:
            raise StorageError("cannot recover")

        return run_step

    stuck = Mutant("stuck", "", "", (Patch(ServerCrashProcedure, "run_step", gives_up),))
    with stuck.applied(), pytest.raises(UnsettledError) as caught:
        simulate(creates, 4, duration_s=10.0)
    said = caught.value.__notes__[0]
    assert "seed 4" in said
    assert "kill" in said.partition("of virtual time, after:")[2]


def test_what_the_application_leaves_uncaught_comes_out() -> None:
    async def careless(connection: AsyncConnection) -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0.1)

    with pytest.raises(UncaughtError, match="ZeroDivisionError"):
        simulate(careless, 1)


def test_the_example_of_the_documentation_runs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text()
    example = text[text.index("    import asyncio") :].partition("`application` is")[0]
    exec(textwrap.dedent(example), {})
