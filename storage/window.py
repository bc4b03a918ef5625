"""Windows: how runs of sorted cells are merged.

A heap of iterators compares cell by cell in Python. Instead every run (memstore or file)
offers the cells it has at hand from a key on, and the bound below which these are all it has.
Up to the least bound the runs together are complete: their cells are put together and sorted,
and the sort finds the runs and merges them in C.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class Window(NamedTuple):
    """Cells of a run from some key on, as parallel lists that nobody changes.

    The run has no other cells below ``bound``; an empty bound says that these are all that
    was asked for.
    """

    keys: list[bytes]
    values: list[bytes]
    bound: bytes


def merge(windows: Sequence[Window]) -> Window:
    """The cells of all windows below the least of their bounds, in order.

    Equal keys are the same cell found twice; one of them stays.
    """
    bounds = [window.bound for window in windows if window.bound]
    bound = min(bounds) if bounds else b""
    parts = [window for window in windows if window.keys]
    if not parts:
        return Window([], [], bound)
    if len(parts) == 1:
        return _below(parts[0], bound)
    cells: dict[bytes, bytes] = {}
    for part in parts:
        cells.update(zip(*_below(part, bound)[:2], strict=True))
    keys = sorted(cells)
    return Window(keys, list(map(cells.__getitem__, keys)), bound)


def _below(window: Window, bound: bytes) -> Window:
    keys, values, own_bound = window
    if own_bound == bound or not bound:
        return window
    end = bisect_left(keys, bound)
    if end < len(keys):
        return Window(keys[:end], values[:end], bound)
    return Window(keys, values, bound)
