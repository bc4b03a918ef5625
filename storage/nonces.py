"""Nonces of a region: which operations were applied, so that a retry is not applied again.

They live as long as a client may retry. They are in the records of the log and in every
manifest, so they follow the region through crash, move and split.
Source: ServerNonceManager.java (there they are forgotten with the server).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .manifest import NonceRecord


class Nonces:
    """The nonces younger than ``ttl_ms`` on the region's clock, oldest first."""

    def __init__(self, ttl_ms: int, records: Iterable[NonceRecord] = ()) -> None:
        self._ttl_ms = ttl_ms
        self._records: dict[tuple[int, int], NonceRecord] = {}
        for record in records:
            self.add(record)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[NonceRecord]:
        return iter(self._records.values())

    def find(self, group: int, nonce: int) -> NonceRecord | None:
        """The write that applied this operation, if it was applied."""
        return self._records.get((group, nonce)) if nonce else None

    def add(self, record: NonceRecord) -> None:
        """The operation was applied. Adding a record again changes nothing."""
        if record.nonce:
            self._records.setdefault((record.group, record.nonce), record)

    def forget(self, clock_ms: int) -> None:
        """Drops what is older than a client's operation can be."""
        limit = clock_ms - self._ttl_ms
        records = self._records
        while records:
            oldest = next(iter(records))
            if records[oldest].time_ms >= limit:
                return
            del records[oldest]
