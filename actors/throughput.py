"""How fast compactions may go, so that they leave the disk to others.

All compactions of a server share a limit, which rises as a store comes near the number of
files that makes flushes wait, and is gone when it is beyond. Each is told its share when it
begins, and keeps to it in the task that does it. Source: PressureAwareThroughputController.java,
PressureAwareCompactionThroughputController.java.
"""

from __future__ import annotations

from ..config import StoreConfig


class CompactionThroughput:
    """The limit of one server, and the compactions that share it."""

    def __init__(self, config: StoreConfig) -> None:
        self._config = config
        self._active = 0
        self.bytes_per_s: float = config.compaction_bytes_per_s_low
        """Of all compactions together."""

    def tune(self, pressure: float, *, off_peak: bool) -> None:
        """``pressure`` is CompactionPolicy.pressure of the store with most files."""
        config = self._config
        low, high = config.compaction_bytes_per_s_low, config.compaction_bytes_per_s_high
        if pressure > 1:
            self.bytes_per_s = float("inf")
        elif off_peak:
            self.bytes_per_s = config.compaction_bytes_per_s_off_peak
        else:
            self.bytes_per_s = low + (high - low) * pressure

    def begin(self) -> float:
        """One more is under way; returns how fast it may go."""
        self._active += 1
        return self.bytes_per_s / self._active

    def end(self) -> None:
        """One is over."""
        self._active -= 1


class Pace:
    """Keeps one piece of work below a number of bytes a second, on its caller's clock."""

    def __init__(self, bytes_per_s: float, now_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._since_s = now_s

    def delay_s(self, done_bytes: int, now_s: float) -> float:
        """How long to sleep after so many bytes more; time not used is not saved up."""
        due_s = self._since_s + done_bytes / self._bytes_per_s
        self._since_s = max(due_s, now_s)
        return max(due_s - now_s, 0.0)
