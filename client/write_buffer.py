"""Mutations collected until there are enough for a call."""

from __future__ import annotations

from ..operations import Mutation

ACTIONS_MAX = 10_000
_OVERHEAD_BYTES = 64


class WriteBuffer:
    """Counts what it holds. Source: BufferedMutatorImpl (hbase.client.write.buffer)."""

    def __init__(self, buffer_bytes: int) -> None:
        self._buffer_bytes = buffer_bytes
        self._mutations: list[Mutation] = []
        self._size = 0

    def __len__(self) -> int:
        """Mutations not sent yet."""
        return len(self._mutations)

    def collect(self, mutation: Mutation) -> bool:
        """Keeps the mutation; whether it is time to send."""
        self._mutations.append(mutation)
        size = _OVERHEAD_BYTES + len(mutation.row)
        for cell in mutation.cells:
            size += _OVERHEAD_BYTES + len(cell[1]) + len(cell[4])
        self._size += size
        return self._size >= self._buffer_bytes or len(self._mutations) >= ACTIONS_MAX

    def take(self) -> list[Mutation]:
        """What was collected; the buffer is empty afterwards."""
        taken, self._mutations, self._size = self._mutations, [], 0
        return taken
