"""What clients did and saw, and the checks that need nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .linearizability import UNKNOWN, Operation, Step, linearizable


class History:
    """Records operations by row. ``clock`` must be one for all clients."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.rows: dict[bytes, list[Operation]] = {}

    def begin(self, client: str, row: bytes, kind: str, argument: Any = None) -> Operation:
        operation = Operation(client, row, kind, argument, self._clock())
        self.rows.setdefault(row, []).append(operation)
        return operation

    def end(self, operation: Operation, output: Any = None) -> None:
        """Its client was told ``output``; without this call the outcome is unknown."""
        operation.output = output
        operation.returned_s = self._clock()

    def refused(self, operation: Operation) -> None:
        """It was certainly not applied."""
        self.rows[operation.row].remove(operation)

    def count(self, *, unknown: bool) -> int:
        return sum((one.output is UNKNOWN) is unknown for row in self.rows.values() for one in row)

    def check(self, step: Step, initial: Hashable) -> list[str]:
        """Rows whose operations no single order explains, each with its story."""
        return [
            f"row {row!r} is not linearizable:\n" + "\n".join(f"  {one}" for one in operations)
            for row, operations in self.rows.items()
            if not linearizable(without_trace(operations), step, initial)
        ]

    def check_monotonic(self) -> list[str]:
        """For rows whose numbers only grow: nobody sees a smaller one later.

        Linear in the number of operations, where the search may not be.
        """
        found = []
        for row, operations in self.rows.items():
            told = [one for one in operations if isinstance(one.output, int)]
            ended = sorted(told, key=lambda one: one.returned_s)
            position, highest = 0, None
            for one in sorted(told, key=lambda one: one.called_s):
                while position < len(ended) and ended[position].returned_s < one.called_s:
                    if highest is None or ended[position].output > highest.output:
                        highest = ended[position]
                    position += 1
                if highest is not None and one.output < highest.output:
                    found.append(f"row {row!r} went back:\n  {highest}\n  {one}")
        return found


def without_trace(operations: list[Operation]) -> list[Operation]:
    """Leaves out writes of unknown outcome whose value nobody ever met.

    If they are taken to have never happened, everything else stands as before; with them the
    search would try every place for each. (Not so beside a compare-and-set that found something
    else than it expected: what it found may be just such a value.)
    """
    if any(one.kind == "cas" and one.output is False for one in operations):
        return operations
    met: set[Any] = set()
    for one in operations:
        if one.kind == "get" and isinstance(one.output, Hashable):
            met.add(one.output)
        if one.kind == "cas":
            met.add(one.argument[0])
    return [
        one
        for one in operations
        if one.output is not UNKNOWN
        or one.kind not in ("put", "cas")
        or (one.argument if one.kind == "put" else one.argument[1]) in met
    ]


@dataclass(slots=True)
class SetLedger:
    """Unique rows added by clients: each row once, with one value, never deleted."""

    acknowledged: dict[bytes, bytes] = field(default_factory=dict)
    unknown: dict[bytes, bytes] = field(default_factory=dict)

    def check(
        self,
        found: Iterable[tuple[bytes, bytes]],
        *,
        present: Mapping[bytes, bytes],
        backwards: bool = False,
    ) -> list[str]:
        """Whether a scan returned what it must, once and in order.

        Args:
            found: rows and values in the order the scan gave them.
            present: rows it is asked for that were acknowledged before it began.
            backwards: it gives the greatest row first.
        """
        problems = []
        last: bytes | None = None
        seen: set[bytes] = set()
        for row, value in found:
            if last is not None and (row >= last if backwards else row <= last):
                problems.append(f"row {row!r} after {last!r}: out of order or twice")
            last = row
            seen.add(row)
            written = self.acknowledged.get(row, self.unknown.get(row))
            if written is None:
                problems.append(f"row {row!r} was never written")
            elif written != value:
                problems.append(f"row {row!r} holds {value!r}, not {written!r}")
        problems += [f"row {row!r} is missing" for row in present if row not in seen]
        return problems


def holes(found: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Nodes of linked lists that are named by one that is there, and are nowhere.

    Needs no memory of what was acknowledged: a node is written after the one that it names. For
    a scan during which nothing is written. Source: IntegrationTestBigLinkedList.
    """
    there = dict(found)
    return [
        f"node {node!r} names {earlier!r}, which is nowhere"
        for node, earlier in there.items()
        if earlier and earlier not in there
    ]


def torn_cells(row: bytes, cells: Mapping[Hashable, bytes], columns: int) -> list[str]:
    """For a row whose every mutation sets all ``columns`` to one value (row atomicity)."""
    if cells and (len(cells) != columns or len(set(cells.values())) != 1):
        return [f"row {row!r} is torn: {dict(cells)!r}"]
    return []
