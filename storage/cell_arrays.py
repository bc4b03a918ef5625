"""Array operations on the cells of a window: what a loop would cost ten times as much for."""

from __future__ import annotations

from itertools import chain, compress
from operator import ne
from typing import Any, Final

import numpy as np

ARRAYS_FROM: Final = 24
"""Cells from which array operations are cheaper than a loop."""

TAIL: Final = np.dtype([("timestamp", ">u8"), ("type", "u1"), ("sequence_id", ">u8")])
Tails = np.ndarray[Any, np.dtype[np.void]]
Timestamps = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Versions = np.ndarray[Any, np.dtype[np.int64]]


def number_versions(
    columns: list[bytes],
    timestamps: Timestamps,
    column: bytes,
    last_timestamp: int,
    count: int,
) -> tuple[Mask, Versions | None]:
    """Numbers the versions of puts that are in order, from 1 for the newest of a column.

    ``column``, ``last_timestamp`` and ``count`` are those of the cell before the first. The
    first result is false for a cell whose timestamp was written again later; the second is
    None if every cell is the first of its column.
    """
    size = len(columns)
    fresh = np.fromiter(map(ne, columns, chain((column,), columns)), bool, size)
    if fresh.all():
        return fresh, None
    previous = np.concatenate(([last_timestamp], timestamps[:-1]))
    newest: Mask = fresh | (timestamps != previous)
    total = np.cumsum(newest)
    starts = np.maximum.accumulate(np.where(fresh, np.arange(size), 0))
    versions: Versions = total - (total - newest)[starts]
    if not fresh[0]:
        versions[: int(fresh.argmax()) if fresh.any() else size] += count
    return newest, versions


def compressed(
    mask: Mask, columns: list[bytes], values: list[bytes], timestamps: Timestamps
) -> tuple[list[bytes], list[bytes], Timestamps]:
    """The cells at which the mask is true."""
    selectors = mask.tolist()
    return (
        list(compress(columns, selectors)),
        list(compress(values, selectors)),
        timestamps[mask],
    )
