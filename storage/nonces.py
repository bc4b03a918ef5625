"""Nonces of a region: which operations were applied, so that a retry is not applied again.

They live as long as a client may retry. They are in the records of the log and in every
manifest, so they follow the region through crash, move and split.
Source: ServerNonceManager.java (there they are forgotten with the server).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from .manifest import NonceRecord

RESULT_TTL_MS: Final = 60_000
"""How long the result of an operation is remembered. A later retry gets the newest version."""

STEP_MS_MAX: Final = 60_000
"""Nonces grow no older than this from one write to the next: the wall clock may jump, by hours,
and what was applied a second ago must not be forgotten for that. In a region that is hardly
written to they stay longer, a few at most."""

Made = Mapping[tuple[bytes, bytes], tuple[int, bytes]]
"""(family, qualifier) -> (timestamp, value) of the cells an operation made."""


class Nonces:
    """The nonces younger than ``ttl_ms`` on the region's clock, oldest first."""

    def __init__(self, ttl_ms: int, records: Iterable[NonceRecord] = ()) -> None:
        self._ttl_ms = ttl_ms
        self._records: dict[tuple[int, int], NonceRecord] = {}
        self._made: dict[tuple[int, int], Made] = {}
        self._added_ms: dict[tuple[int, int], int] = {}
        self._clock_ms = 0
        self._age_ms = 0
        """Counts as ``_clock_ms`` does, but in small steps only."""
        for record in records:
            self.add(record, {})

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[NonceRecord]:
        return iter(self._records.values())

    def find(self, group: int, nonce: int) -> NonceRecord | None:
        """The write that applied this operation, if it was applied."""
        return self._records.get((group, nonce)) if nonce else None

    def made_by(self, record: NonceRecord) -> Made:
        """The cells that the operation made, as far as they are remembered."""
        return self._made.get((record.group, record.nonce), {})

    def add(self, record: NonceRecord, made: Made) -> None:
        """The operation was applied. Adding a record again changes nothing."""
        if not record.nonce:
            return
        self.forget(record.time_ms)
        key = (record.group, record.nonce)
        if key not in self._records:
            self._records[key] = record
            self._added_ms[key] = self._age_ms
        if made:
            self._made.setdefault(key, made)

    def forget(self, clock_ms: int) -> None:
        """Drops what is older than a client's operation can be."""
        self._age_ms += min(max(clock_ms - self._clock_ms, 0), STEP_MS_MAX)
        self._clock_ms = max(clock_ms, self._clock_ms)
        result_ttl_ms = min(RESULT_TTL_MS, self._ttl_ms)
        for known, ttl_ms in ((self._made, result_ttl_ms), (self._records, self._ttl_ms)):
            while known:
                oldest = next(iter(known))
                added_ms = self._added_ms.get(oldest)
                if added_ms is not None and added_ms >= self._age_ms - ttl_ms:
                    break
                del known[oldest]
                if known is self._records:
                    del self._added_ms[oldest]
