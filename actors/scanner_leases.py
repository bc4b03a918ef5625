"""Open scanners of a region server: found by id, called in order, closed when forgotten.

Source: RSRpcServices.java (scanners, Leases).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import OutOfOrderScannerNextError, UnknownScannerError
from ..runtime import Clock, Entropy

S = TypeVar("S")


@dataclass(slots=True)
class Lease(Generic[S]):
    """A scanner, the number of its next call, and until when it waits for that call."""

    scanner_id: int
    scanner: S
    next_call_seq: int
    expires_s: float
    busy: bool = False
    """A call is at work on it: it does not expire meanwhile."""


class ScannerLeases(Generic[S]):
    """All open scanners. ``close`` is called once for each that ends, however it ends."""

    def __init__(
        self, clock: Clock, entropy: Entropy, lease_s: float, close: Callable[[S], None]
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lease_s = lease_s
        self._close = close
        self._leases: dict[int, Lease[S]] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def __iter__(self) -> Iterator[Lease[S]]:
        return iter(list(self._leases.values()))

    @property
    def lease_ms(self) -> int:
        return int(self._lease_s * 1000)

    def open(self, scanner: S) -> Lease[S]:
        scanner_id = self._entropy.integer(63)
        while scanner_id in self._leases or not scanner_id:
            scanner_id = self._entropy.integer(63)
        lease = Lease(scanner_id, scanner, 0, self._deadline())
        self._leases[scanner_id] = lease
        return lease

    def find(self, scanner_id: int) -> Lease[S]:
        """Raises UnknownScannerError: the lease ran out, or another life opened it."""
        lease = self._leases.get(scanner_id)
        if lease is None:
            raise UnknownScannerError(f"no scanner {scanner_id} is open here: open a new one")
        return lease

    def is_open(self, lease: Lease[S]) -> bool:
        return self._leases.get(lease.scanner_id) is lease

    def begin_call(self, scanner_id: int, call_seq: int | None) -> Lease[S]:
        """The scanner for a call that must be its next.

        Raises UnknownScannerError, or OutOfOrderScannerNextError if a call was lost or came
        twice: what the lost answer held is unknown, so the scanner ends.
        """
        lease = self.find(scanner_id)
        if lease.busy or (call_seq is not None and call_seq != lease.next_call_seq):
            expected = lease.next_call_seq
            self.close(scanner_id)
            raise OutOfOrderScannerNextError(
                f"scanner {scanner_id}: call {call_seq} came, {expected} was expected"
            )
        lease.busy = True
        if call_seq is not None:
            lease.next_call_seq += 1
        return lease

    def end_call(self, lease: Lease[S]) -> None:
        """The call is answered: the lease runs again from now."""
        lease.busy = False
        lease.expires_s = self._deadline()

    def renew(self, scanner_id: int) -> None:
        self.find(scanner_id).expires_s = self._deadline()

    def close(self, scanner_id: int) -> None:
        """Ends the scanner if it is open."""
        lease = self._leases.pop(scanner_id, None)
        if lease is not None:
            self._close(lease.scanner)

    def close_where(self, wanted: Callable[[S], bool]) -> None:
        for lease in self:
            if wanted(lease.scanner):
                self.close(lease.scanner_id)

    def expire(self) -> int:
        """Ends every scanner whose client has not called for too long; returns how many."""
        now_s = self._clock.monotonic_s()
        late = [one for one in self if not one.busy and one.expires_s <= now_s]
        for lease in late:
            self.close(lease.scanner_id)
        return len(late)

    def _deadline(self) -> float:
        return self._clock.monotonic_s() + self._lease_s
