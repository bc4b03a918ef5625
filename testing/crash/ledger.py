"""What was written to a region step by step, and what it must hold after each step.

All steps go into one log, so what a crash leaves is the state after some step: at or after the
last acknowledged one, with no hole and no half of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from ...model import Durability
from ...operations import Append, Delete, Increment, Mutation, MutationKind, Put

FAMILIES: Final = (b"f", b"g")
QUALIFIER: Final = b"q"
VERSIONS_MAX: Final = 3
MARKER: Final = b"~"
"""The row in which every step but read-modify-writes leaves its number."""
COUNTER: Final = b"counter"
LIST: Final = b"list"
_ROWS: Final = 7

Column = tuple[bytes, bytes]
State = Mapping[Column, tuple[bytes, ...]]
"""(row, family) -> versions of the column, newest first. Counters and lists have one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One atomic write. Its number is its place in the ledger, from 1."""

    number: int
    mutations: tuple[Mutation, ...]

    @property
    def is_atomic(self) -> bool:
        """Whether it reads before it writes; it has a nonce then."""
        return self.mutations[0].kind in (MutationKind.INCREMENT, MutationKind.APPEND)

    def after(self, state: State) -> State:
        """The state that the step makes of another."""
        changed = dict(state)
        for mutation in self.mutations:
            for family, _, _, _, value in mutation.cells:
                column = (mutation.row, family)
                versions = changed.pop(column, ())
                if mutation.kind is MutationKind.PUT:
                    kept = 1 if mutation.row == MARKER else VERSIONS_MAX
                    changed[column] = (value, *versions)[:kept]
                elif mutation.kind is MutationKind.APPEND:
                    changed[column] = (b"".join((*versions, value)),)
                elif mutation.kind is MutationKind.INCREMENT:
                    total = sum(int.from_bytes(one, "big") for one in (*versions, value))
                    changed[column] = (total.to_bytes(8, "big"),)
        return changed


def step(number: int, durability: Durability = Durability.USE_DEFAULT) -> Step:
    """The step of this number: of five, three put a row, one deletes one, one counts."""
    if number % 5 == 4:
        counts: Mutation = Increment(COUNTER).add(FAMILIES[0], QUALIFIER, number)
        if number % 2:
            counts = Append(LIST).add(FAMILIES[1], QUALIFIER, b"%d," % number)
        counts.nonce = number
        counts.durability = durability
        return Step(number, (counts,))
    row = b"row%d" % (number * 3 % _ROWS)
    changes = _deleted(row, number) if number % 5 == 2 else _put(row, number)
    changes.durability = durability
    marker = Put(MARKER, durability=durability)
    marker.add(FAMILIES[0], QUALIFIER, b"%d" % number, number)
    return Step(number, (changes, marker))


def _put(row: bytes, number: int) -> Put:
    put = Put(row)
    for family in FAMILIES:
        put.add(family, QUALIFIER, value_of(number), number)
    return put


def _deleted(row: bytes, number: int) -> Delete:
    delete = Delete(row)
    for family in FAMILIES:
        delete.column(family, QUALIFIER, number)
    return delete


@cache
def value_of(number: int) -> bytes:
    """Of some hundred bytes, so that a batch of the log covers several sectors."""
    return b"%d:" % number + bytes((number * 31 + at * at) % 251 for at in range(300))


class Ledger:
    """The steps in the order they were applied, and which of them were acknowledged.

    Args:
        state: what the region held before.
        base: number of the last step before these.
    """

    def __init__(self, state: State | None = None, base: int = 0) -> None:
        self.base = base
        self.steps: list[Step] = []
        self._states: list[State] = [state or {}]
        self.acknowledged = base
        """The last step that was acknowledged as durable; all before it are, too."""

    @property
    def submitted(self) -> int:
        """Number of the last step applied."""
        return self.base + len(self.steps)

    @property
    def state(self) -> State:
        """What the region holds after all steps."""
        return self._states[-1]

    def submit(self, step: Step) -> None:
        """The region has applied the step."""
        assert step.number == self.submitted + 1, "steps are numbered as they are applied"
        self.steps.append(step)
        self._states.append(step.after(self._states[-1]))

    def acknowledge(self, number: int) -> None:
        """The step was acknowledged as durable."""
        self.acknowledged = max(self.acknowledged, number)

    def state_after(self, number: int) -> State:
        return self._states[number - self.base]

    def left(self, state: State, lowest: int, highest: int) -> tuple[int, str]:
        """Which step of ``lowest..highest`` left this state; if none did, what is wrong."""
        for number in range(highest, lowest - 1, -1):
            if self.state_after(number) == state:
                return number, ""
        known = [n for n, one in enumerate(self._states, self.base) if one == state]
        what = f"it is that after step {known[-1]}" if known else "no step left this"
        near = int(state.get((MARKER, FAMILIES[0]), (b"0",))[0])
        expected = self.state_after(min(max(near, lowest), highest))
        return (
            -1,
            f"steps {lowest}..{highest} were possible, {what}: {_differences(state, expected)}",
        )


def _differences(found: State, expected: State) -> str:
    columns = sorted(one for one in {**found, **expected} if found.get(one) != expected.get(one))
    return ", ".join(
        f"{row.decode()}/{family.decode()} is {_short(found.get((row, family)))}, "
        f"not {_short(expected.get((row, family)))}"
        for row, family in columns[:3]
    )


def _short(versions: tuple[bytes, ...] | None) -> str:
    return "missing" if versions is None else str([one[:12] for one in versions])
