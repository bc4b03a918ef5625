"""What somebody's work is waiting for, in words that a person can read.

Whoever waits deep down says so with ``waiting``; whoever runs the work keeps the ``Waits`` and
can tell at any time. What no ``Waits`` was made for is told to nobody, at no cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from ..runtime import Clock


@dataclass(slots=True, eq=False)
class Wait:
    """One thing waited for. ``trouble`` is why it did not come at the last try."""

    what: str
    since_s: float
    trouble: str = ""


class Waits:
    """What one piece of work, and all that it has begun, waits for at the moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[Wait, None] = {}

    def collect(self) -> None:
        """From here on, what the running task and those it begins wait for is told here."""
        _COLLECTOR.set(self)

    def begin(self, what: str) -> Wait:
        wait = Wait(what, self._clock.monotonic_s())
        self._open[wait] = None
        return wait

    def end(self, wait: Wait) -> None:
        self._open.pop(wait, None)

    def describe(self) -> str:
        """``for X, for 3 s (Y); for Z, for 0 s``; empty if it waits for nothing."""
        now_s = self._clock.monotonic_s()
        return "; ".join(
            f"for {one.what}, for {now_s - one.since_s:.0f} s"
            + (f" ({one.trouble})" if one.trouble else "")
            for one in self._open
        )


_COLLECTOR: Final[ContextVar[Waits | None]] = ContextVar("waits", default=None)


@contextmanager
def waiting(what: str) -> Iterator[Wait]:
    """Says that the running work waits for ``what`` until the block is left."""
    waits = _COLLECTOR.get()
    if waits is None:
        yield Wait(what, 0.0)
        return
    wait = waits.begin(what)
    try:
        yield wait
    finally:
        waits.end(wait)
