"""How long something took lately, for status and for people."""

from __future__ import annotations

from collections import deque
from typing import Final

_KEPT: Final = 4096


class Waits:
    """The latest few thousand times of something that happens again and again."""

    __slots__ = ("_latest_us",)

    def __init__(self) -> None:
        self._latest_us: deque[int] = deque(maxlen=_KEPT)

    def add(self, took_s: float) -> None:
        self._latest_us.append(int(took_s * 1e6))

    def summary(self) -> dict[str, int]:
        """Median, 99th percentile and greatest of them in microseconds; zeros if none."""
        ordered = sorted(self._latest_us) or [0]
        last = len(ordered) - 1
        return {
            "p50_us": ordered[last // 2],
            "p99_us": ordered[last * 99 // 100],
            "max_us": ordered[last],
        }
