"""How often an operation is tried, how long it pauses, and what it says when it gives up.

Source: ConnectionUtils.getPauseTime, HConstants.RETRY_BACKOFF, AsyncRpcRetryingCaller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from ..config import ClientConfig
from ..errors import (
    CallQueueTooBigError,
    CallTimedOutError,
    ClusterError,
    ConnectionLostError,
    CorruptionError,
    RaybaseError,
    RegionMovedError,
    RegionOpeningError,
    RegionSplitError,
    RegionTooBusyError,
    RequestTooBigError,
    RetriesExhaustedError,
    ScannerResetError,
    ServerNotRunningError,
)
from ..runtime import Entropy
from .effects import Address, MonotonicClock, Sleep

PAUSE_FACTORS: Final = (1, 2, 3, 5, 10, 20, 40, 100, 100, 100, 100, 200, 200)
JITTER: Final = 0.01
ERRORS_SHOWN: Final = 4
CLOSED: Final = "this connection was closed by its user"
_SHORTEST_CALL_S: Final = 0.001

_KEEP_LOCATION: Final = (
    RegionOpeningError,
    RegionTooBusyError,
    CallQueueTooBigError,
    RequestTooBigError,
)
_FINAL: Final = (CorruptionError, ClusterError)
_REDIRECTS: Final = (RegionMovedError, RegionSplitError)
_SERVER_GONE: Final = (ConnectionLostError, ServerNotRunningError)


def pause_s(base_s: float, tries: int, entropy: Entropy) -> float:
    """The pause after the ``tries``-th failure in a row (from 1), with at most 1 % of jitter."""
    factor = PAUSE_FACTORS[min(tries, len(PAUSE_FACTORS)) - 1]
    return base_s * factor * (1.0 + entropy.uniform(0.0, JITTER))


def is_retryable(error: RaybaseError) -> bool:
    """Whether the same call may succeed later.

    A scanner that was reset is opened again, so that error, too, ends nothing.
    """
    if isinstance(error, ScannerResetError):
        return True
    return not error.do_not_retry and not isinstance(error, _FINAL)


def says_location_is_stale(error: RaybaseError) -> bool:
    """Whether the region's cached place must be forgotten. Source: AsyncRegionLocatorHelper."""
    return not isinstance(error, _KEEP_LOCATION)


def says_server_is_gone(error: RaybaseError) -> bool:
    """Whether no region should be looked for at that server before hbase:meta is asked."""
    return isinstance(error, _SERVER_GONE)


class Attempts:
    """The tries of one operation: its deadline, its pauses, its last errors.

    ``what`` says what is being tried, for the message of the error that ends it all.
    """

    __slots__ = ("_clock", "_config", "_entropy", "_errors", "_started_s", "_what", "tries")

    def __init__(
        self,
        what: Callable[[], str],
        config: ClientConfig,
        clock: MonotonicClock,
        entropy: Entropy,
    ) -> None:
        self._what = what
        self._config = config
        self._clock = clock
        self._entropy = entropy
        self._started_s = clock.monotonic_s()
        self._errors: deque[str] | None = None
        self.tries = 0

    def remaining_s(self) -> float:
        """Time left to the operation; may be negative."""
        passed_s = self._clock.monotonic_s() - self._started_s
        return self._config.operation_timeout_s - passed_s

    def call_timeout_s(self) -> float:
        """How long the next call may take."""
        if self.tries == 0:
            return min(self._config.call_timeout_s, self._config.operation_timeout_s)
        return max(_SHORTEST_CALL_S, min(self._config.call_timeout_s, self.remaining_s()))

    def failed(self, error: RaybaseError, address: Address | None = None) -> Sleep:
        """Counts a failure; the pause before the next try.

        Raises:
            RaybaseError: the error itself, if trying again cannot help.
            RetriesExhaustedError: all tries or all time is used up.
        """
        if not is_retryable(error):
            raise error
        self.note(error, address)
        self.tries += 1
        if self.tries >= self._config.attempts_max:
            raise self.exhausted(f"after {self.tries} tries") from error
        return self._pause(error)

    def _pause(self, error: RaybaseError) -> Sleep:
        if isinstance(error, _REDIRECTS) and self.tries == 1:
            return Sleep(0.0)
        delay_s = pause_s(self._config.pause_s, self.tries, self._entropy)
        remaining_s = self.remaining_s()
        if remaining_s <= delay_s:
            raise self.exhausted(
                f"because its {self._config.operation_timeout_s:g} s would pass"
            ) from error
        return Sleep(delay_s)

    def progressed(self) -> None:
        """Something succeeded: the next failure is the first again, with all its time."""
        self.tries = 0
        self._started_s = self._clock.monotonic_s()

    def note(self, error: RaybaseError, address: Address | None) -> None:
        """Keeps the error for the message."""
        if self._errors is None:
            self._errors = deque(maxlen=ERRORS_SHOWN)
        passed_s = self._clock.monotonic_s() - self._started_s
        where = f" at {address[0]}:{address[1]}" if address else ""
        self._errors.append(f"{passed_s:.1f} s{where}: {describe(error)}")

    def exhausted(self, why: str) -> RetriesExhaustedError:
        """The error that ends the operation."""
        last = "; ".join(self._errors or ())
        return RetriesExhaustedError(
            f"gave up {self._what()} {why}. Last errors: {last}. The cluster may be starting or "
            "recovering: see `raybase status`. A mutation may have been applied"
        )


def describe(error: BaseException) -> str:
    """Class and message in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def timed_out(method: str, address: Address, timeout_s: float) -> CallTimedOutError:
    return CallTimedOutError(
        f"{method} at {address[0]}:{address[1]} gave no answer in {timeout_s:g} s"
    )


def connection_lost(address: Address, reason: object) -> ConnectionLostError:
    return ConnectionLostError(f"connection to {address[0]}:{address[1]}: {reason}")
