"""Asking again, and perhaps elsewhere, when an answer does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def hedged(begin: Callable[[], Awaitable[T]], after_s: float, tries: int) -> T:
    """The first answer of up to ``tries`` runs of ``begin``, the next begun when there is none
    after ``after_s`` more; raises what the first run to fail raises.

    Runs that are not waited for any more are cancelled, and may go on where they are.
    """
    answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def ended(run: asyncio.Future[T]) -> None:
        if run.cancelled() or answer.done():
            return
        error = run.exception()
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(run.result())

    runs: list[asyncio.Future[T]] = []
    try:
        for _ in range(tries):
            run: asyncio.Future[T] = asyncio.ensure_future(begin())
            run.add_done_callback(ended)
            runs.append(run)
            try:
                async with asyncio.timeout(after_s):
                    return await asyncio.shield(answer)
            except TimeoutError:
                if answer.done():
                    raise
        return await answer
    finally:
        for one in runs:
            one.cancel()
