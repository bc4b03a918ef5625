"""What a server gives to each of its regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..config import ClusterConfig, StoreConfig
from ..runtime import Runtime
from .store_io import StoreIO


def _nothing(encoded: str = "") -> None:
    """For who looks by itself."""


@dataclass(slots=True)
class MemstoreGauge:
    """Bytes in all memstores of a process, and the marks they are held against."""

    config: StoreConfig
    bytes: int = 0

    @property
    def is_high(self) -> bool:
        """Whether regions are to be flushed to make room."""
        return self.bytes > self.config.memstore_bytes_max * self.config.memstore_lower_fraction

    @property
    def is_full(self) -> bool:
        """Whether writers have to wait."""
        return self.bytes > self.config.memstore_bytes_max


@dataclass(slots=True)
class RegionServices:
    """Shared by all regions of one process, which ``server`` names as their owner."""

    runtime: Runtime
    config: ClusterConfig
    server: str
    io: StoreIO
    fail: Callable[[BaseException], None]
    """Ends the process: it has lost what it thought was its own."""
    memstores: MemstoreGauge = field(default_factory=lambda: MemstoreGauge(StoreConfig()))
    flush_wanted: Callable[[str], None] = _nothing
    """The memstore of the region of this encoded name has outgrown its limit."""
    memory_high: Callable[[], None] = _nothing
    """All memstores together are above the lower mark."""
    store_files_changed: Callable[[str], None] = _nothing
    """Look whether the region wants to be compacted or split."""
