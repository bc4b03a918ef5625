"""Whether what clients saw could have come from one copy of each row, changed one step at a time.

The search is Wing and Gong's with Lowe's memory of configurations: depth first over (operations
taken so far, state of the row); an operation may come next if it was called before the earliest
return among those not taken. An operation whose outcome is unknown may come at any time after
its call, or never.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

RETRY_S: Final = 0.05
"""Clients pause at least so long before they ask again. hbase.client.pause, less its jitter"""
UNKNOWN: Final = object()
"""The output of an operation whose outcome its client never learned."""


@dataclass(slots=True, eq=False)
class Operation:
    """What one client asked of one row, and what it was told.

    ``returned_s`` is infinite while the outcome is unknown.
    """

    client: str
    row: bytes
    kind: str
    argument: Any
    called_s: float
    returned_s: float = float("inf")
    output: Any = UNKNOWN

    @property
    def may_be_a_repeat(self) -> bool:
        """Whether it took so long that its client may have asked again.

        A repeat is recognised and not applied, but what it is answered can be the row's newest
        value instead of the one that the operation made (storage/nonces.py).
        """
        return self.returned_s - self.called_s >= RETRY_S

    def __str__(self) -> str:
        end = "never" if self.output is UNKNOWN else f"{self.returned_s:.6f}"
        told = "unknown" if self.output is UNKNOWN else repr(self.output)
        return (
            f"{self.called_s:.6f}..{end} {self.client} {self.kind}({self.argument!r}) "
            f"on {self.row!r}: {told}"
        )


Step = Callable[[Any, Operation], tuple[bool, Any]]
"""(state, operation) -> (the output fits this state, the state afterwards)."""


def linearizable(operations: Sequence[Operation], step: Step, initial: Hashable) -> bool:
    """Whether some order of the operations explains all outputs.

    Args:
        operations: of one row. Reads of unknown outcome say nothing and are left out.
        step: the row's rules; states must be hashable.
        initial: the row's state before all of them.
    """
    known = [one for one in operations if one.output is not UNKNOWN]
    doubtful = [one for one in operations if one.output is UNKNOWN and one.kind != "get"]
    # In order of call, so that candidates are found at the front.
    ordered = sorted(known + doubtful, key=lambda one: (one.called_s, one.returned_s))
    called = [one.called_s for one in ordered]
    returned = [one.returned_s for one in ordered]
    every = range(len(ordered))
    required = sum(1 << index for index in every if ordered[index].output is not UNKNOWN)
    pending: list[tuple[int, int, Any]] = [(0, 0, initial)]
    seen: set[tuple[int, Any]] = set()
    while pending:
        taken, first, state = pending.pop()
        if taken & required == required:
            return True
        if (taken, state) in seen:
            continue
        seen.add((taken, state))
        while taken >> first & 1:
            first += 1
        candidates = []
        bound = float("inf")
        for index in range(first, len(ordered)):
            if called[index] > bound:
                break
            if not taken >> index & 1:
                bound = min(bound, returned[index])
                candidates.append(index)
        # The last pushed is tried first: known outcomes before doubtful ones, early before late.
        for index in sorted(candidates, key=lambda one: (returned[one], one), reverse=True):
            if called[index] <= bound:
                fits, after = step(state, ordered[index])
                if fits and (after != state or required >> index & 1):
                    pending.append((taken | 1 << index, first, after))
    return False


def register(state: bytes | None, operation: Operation) -> tuple[bool, bytes | None]:
    """put(value), get() -> value, delete(), cas((expected, new)) -> applied; None: no value."""
    told = operation.output is not UNKNOWN
    if operation.kind == "put":
        return True, operation.argument
    if operation.kind == "delete":
        return True, None
    if operation.kind == "get":
        return operation.output == state, state
    expected, new = operation.argument
    applied = state == expected
    return not told or operation.output == applied, new if applied else state


def counter(state: int, operation: Operation) -> tuple[bool, int]:
    """increment(amount) -> sum afterwards, get() -> sum; no amount is negative."""
    told, output = operation.output is not UNKNOWN, operation.output
    if operation.kind == "get":
        return output == state, state
    after = state + operation.argument
    fits = not told or output == after or (operation.may_be_a_repeat and output > after)
    return fits, after


def pieces(state: bytes, operation: Operation) -> tuple[bool, bytes]:
    """append(piece) -> the whole value, get() -> the whole value."""
    told, output = operation.output is not UNKNOWN, operation.output
    if operation.kind == "get":
        return output == state, state
    after = state + operation.argument
    fits = not told or output == after
    return fits or (operation.may_be_a_repeat and output.startswith(after)), after
