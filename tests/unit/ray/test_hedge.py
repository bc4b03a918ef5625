"""Whoever does not answer is asked again; the first answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from raybase.actors.hedge import hedged
from raybase.errors import ProcessDiedError


def asked(*runs: Callable[[], Awaitable[str]]) -> tuple[str, int]:
    """The answer, and how many runs were begun."""
    begun = 0

    def begin() -> Awaitable[str]:
        nonlocal begun
        begun += 1
        return runs[begun - 1]()

    async def story() -> str:
        async with asyncio.timeout(5.0):
            return await hedged(begin, 0.02, len(runs))

    return asyncio.run(story()), begun


async def never() -> str:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def at_once() -> str:
    return "answer"


async def late() -> str:
    await asyncio.sleep(0.05)
    return "late answer"


async def fails() -> str:
    raise ProcessDiedError("worker")


async def times_out() -> str:
    raise TimeoutError("its own")


def test_an_answer_in_time_is_asked_for_once() -> None:
    assert asked(at_once, at_once) == ("answer", 1)


def test_who_hangs_is_not_waited_for() -> None:
    assert asked(never, never, at_once) == ("answer", 3)


def test_the_first_run_may_still_be_the_first_to_answer() -> None:
    assert asked(late, never, never) == ("late answer", 3)


def test_the_last_run_is_waited_for() -> None:
    assert asked(never, late) == ("late answer", 2)


@pytest.mark.parametrize(("run", "error"), [(fails, ProcessDiedError), (times_out, TimeoutError)])
def test_a_failure_is_an_answer(run: Callable[[], Awaitable[str]], error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(run, at_once)
    with pytest.raises(error):
        asked(never, run)
