"""Stopwatches and quantiles."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def quantile(times: Sequence[float], q: float) -> float:
    """The least of the times that at least the share ``q`` of them does not exceed."""
    ordered = sorted(times)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def median(times: Sequence[float]) -> float:
    return statistics.median(times)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """(seconds it took, what it returned)."""
    began_s = time.perf_counter()
    result = work()
    return time.perf_counter() - began_s, result


def cpu_timed(work: Callable[[], T]) -> tuple[float, T]:
    """As ``timed``, counting what all threads of this process computed.

    For what takes longer than the system lets a process run at a time: what others do on the
    core in between is not counted.
    """
    began_s = time.process_time()
    result = work()
    return time.process_time() - began_s, result


def each(work: Callable[[T], object], items: Iterable[T]) -> list[float]:
    """Seconds of every call, one after another."""
    now_s = time.perf_counter
    times = []
    for item in items:
        began_s = now_s()
        work(item)
        times.append(now_s() - began_s)
    return times


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Collects garbage now and not meanwhile, as raybase's processes hardly ever do."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
