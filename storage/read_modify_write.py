"""Appends, increments and conditions: writes that depend on what is there.

They read the newest applied cells, durable or not; who applies what they come to in the same
breath needs no lock. Source: HRegion.java (checkAndMutateInternal, reckonDeltas).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..errors import IllegalArgumentError, InvalidRequestError
from ..model import LATEST_TIMESTAMP, CellType, TimeRange
from ..operations import Cell, CompareOperator, Condition, Mutation, MutationKind
from .tags import tagged, tags_of

COUNTER_BYTES: Final = 8
_PUT: Final = CellType.PUT.value

Newest = Mapping[tuple[bytes, bytes], tuple[int, bytes]]
"""(family, qualifier) -> (timestamp, value) of the newest cell; absent: there is none."""

ReadNewest = Callable[[bytes, Sequence[tuple[bytes, bytes]], TimeRange], Newest]
"""Reads columns of a row, of some timestamps; may raise BlockMiss."""


def holds(condition: Condition, stored: bytes | None) -> bool:
    """Whether the condition holds of the column's newest value (None: it has none).

    As in HBase an empty value to compare with stands for none, and equals an empty cell too.
    """
    operator, given = condition.operator, condition.value
    if not given:
        return (not stored) == (operator != CompareOperator.NOT_EQUAL)
    if stored is None:
        return False
    return {
        CompareOperator.LESS: given < stored,
        CompareOperator.LESS_OR_EQUAL: given <= stored,
        CompareOperator.EQUAL: given == stored,
        CompareOperator.NOT_EQUAL: given != stored,
        CompareOperator.GREATER_OR_EQUAL: given >= stored,
        CompareOperator.GREATER: given > stored,
    }[operator]


def work_out(mutation: Mutation, timestamp: int, read_newest: ReadNewest) -> Mutation:
    """The put that an append or increment comes to; other mutations as they are.

    Its cells take the server's time or, where what they build on lies ahead of that, the time
    after it.

    Raises InvalidRequestError if a counter's cell is not 8 bytes, IllegalArgumentError for a
    malformed amount, BlockMiss.
    """
    if mutation.kind not in (MutationKind.APPEND, MutationKind.INCREMENT):
        return mutation
    if not mutation.cells:
        raise IllegalArgumentError(f"an {mutation.kind} without a cell")
    columns = list(dict.fromkeys((cell[0], cell[1]) for cell in mutation.cells))
    newest = dict(read_newest(mutation.row, columns, mutation.time_range))
    combine = _append if mutation.kind is MutationKind.APPEND else _increment
    for family, qualifier, asked, _, operand in mutation.cells:
        found = newest.get((family, qualifier))
        if found is None:
            at = timestamp if asked == LATEST_TIMESTAMP else asked
            newest[family, qualifier] = (at, combine(None, operand))
        else:
            at = timestamp if found[0] <= timestamp else min(found[0] + 1, LATEST_TIMESTAMP - 1)
            newest[family, qualifier] = (at, combine(found[1], operand))
    return mutation.as_put(
        [(*column, newest[column][0], _PUT, newest[column][1]) for column in columns]
    )


def at_least(mutation: Mutation, timestamp: int) -> Mutation:
    """The mutation with the server's time, where a put asks for it, put to this timestamp."""
    if mutation.kind is not MutationKind.PUT:
        return mutation
    cells: list[Cell] = [
        (family, qualifier, timestamp, kind, value)
        if asked == LATEST_TIMESTAMP and kind == _PUT
        else (family, qualifier, asked, kind, value)
        for family, qualifier, asked, kind, value in mutation.cells
    ]
    return mutation.as_put(cells)


def _append(stored: bytes | None, tail: bytes) -> bytes:
    return _with_tags((stored or b"") + tail, tail, stored)


def _increment(stored: bytes | None, amount: bytes) -> bytes:
    """64-bit sum that wraps round, as Java's does."""
    if len(amount) != COUNTER_BYTES:
        raise IllegalArgumentError(f"an amount has 8 bytes, not {len(amount)}")
    if stored is None:
        return amount
    if len(stored) != COUNTER_BYTES:
        raise InvalidRequestError(f"the cell is not a counter: it has {len(stored)} bytes, not 8")
    total = int.from_bytes(stored, "big") + int.from_bytes(amount, "big")
    return _with_tags((total % 2**64).to_bytes(COUNTER_BYTES, "big"), amount, stored)


def _with_tags(value: bytes, given: bytes, stored: bytes | None) -> bytes:
    """The value with the tags of what was given and of what it builds on."""
    tags = tags_of(given) + (b"" if stored is None else tags_of(stored))
    return tagged(value, tags)
