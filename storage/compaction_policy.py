"""Which files of a store to compact together.

A policy chooses among a store's files as their manifest entries tell them: oldest edits
first, as Store keeps them. It does no I/O and knows no clock, so the same files, settings and
time give the same choice. Source: SortedCompactionPolicy.java, RatioBasedCompactionPolicy.java,
ExploringCompactionPolicy.java, DefaultStoreFileManager.java.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Final

from ..config import StoreConfig
from ..errors import IllegalArgumentError
from ..model import FamilyDescriptor
from .manifest import StoreFileEntry

Files = Sequence[StoreFileEntry]


class CompactionPolicy(ABC):
    """What HBase's policies have in common; each kind chooses files for minor compactions.

    Args:
        config: the settings of the store (settings.family_config).
        family: its time to live.

    """

    def __init__(self, config: StoreConfig, family: FamilyDescriptor) -> None:
        self._config = config
        self._min_versions = family.min_versions
        self._ttl_ms = family.ttl_s * 1000
        self._bytes_min = config.compaction_bytes_min
        if self._bytes_min < 0:
            self._bytes_min = config.flush_bytes
        self._throttle_bytes = config.compaction_throttle_bytes
        if self._throttle_bytes < 0:
            self._throttle_bytes = 2 * config.compaction_files_max * config.flush_bytes

    def select(
        self,
        files: Files,
        compacting: Collection[StoreFileEntry] = (),
        *,
        now_ms: int = 0,
        major: bool = False,
        by_user: bool = False,
        off_peak: bool = False,
    ) -> tuple[StoreFileEntry, ...]:
        """The files to compact together; none if that is not worth while.

        Args:
            files: all of the store.
            compacting: those of them that a compaction under way has.
            now_ms: the wall clock's, for what is due by its age.
            major: all files are asked for, whatever their sizes.
            by_user: somebody asked by hand: then even more than compaction_files_max.
            off_peak: whether the off-peak ratio and limit hold.

        """
        config = self._config
        eligible = _after_newest(files, compacting)
        stuck = len(files) - len(compacting) + bool(compacting) >= config.blocking_store_files
        forced = major and len(eligible) == len(files)
        if not forced:
            eligible = self._without_first_giants(eligible, off_peak)
        few = len(eligible) < config.compaction_files_max
        whole = (forced and by_user) or (few and (forced or self.is_major_due(eligible, now_ms)))
        if whole or any(entry.is_reference for entry in eligible):
            chosen = eligible
        else:
            chosen = self._choose(eligible, stuck=stuck, off_peak=off_peak)
            if len(chosen) < config.compaction_files_min:
                return ()
        if not (whole and by_user):
            chosen = chosen[: config.compaction_files_max]
        return tuple(chosen)

    @abstractmethod
    def _choose(self, files: Files, *, stuck: bool, off_peak: bool) -> Files:
        """Neighbours of ``files`` for a minor compaction, or none.

        ``stuck``: the store has so many files that writers wait; anything is better then.
        """

    def needs_compaction(
        self, files: Files, compacting: Collection[StoreFileEntry], now_ms: int
    ) -> bool:
        """Whether it is worth while to select: there are enough files, references to a
        parent's, old ones or expired ones. Off the peak or not."""
        return (
            len(files) - len(compacting) >= self._config.compaction_files_min
            or any(entry.is_reference for entry in _after_newest(files, compacting))
            or (not compacting and self.is_major_due(files, now_ms))
            or bool(self.expired(files, compacting, now_ms))
        )

    def is_major_due(self, files: Files, now_ms: int) -> bool:
        """Whether the oldest file has waited for the period of major compactions.

        A single file is left alone unless it has cells that outlived the time to live.
        """
        period_ms = self.major_period_ms(files)
        oldest_ms = min((entry.created_ms for entry in files), default=0)
        if not period_ms or not 0 < oldest_ms < now_ms - period_ms:
            return False
        if len(files) == 1:
            return bool(self._ttl_ms) and files[0].min_timestamp < now_ms - self._ttl_ms
        return True

    def major_period_ms(self, files: Files) -> int:
        """The period with a jitter that is the first file's own, so that it does not change
        from one look to the next nor after a restart; 0: no file is ever due."""
        period_ms = int(self._config.major_compaction_period_s * 1000)
        if period_ms <= 0 or not files:
            return 0
        jitter_ms = round(period_ms * max(self._config.major_compaction_jitter, 0))
        name = files[0].path.rpartition("/")[2]
        fraction = zlib.crc32(name.encode()) / 2**32
        return period_ms + jitter_ms - round(2 * jitter_ms * fraction)

    def expired(
        self, files: Files, compacting: Collection[StoreFileEntry], now_ms: int
    ) -> tuple[StoreFileEntry, ...]:
        """Files of which every cell, tombstones too, has outlived the time to live.

        They can go unread: what a tombstone among them hides is older still.
        """
        if not self._ttl_ms or self._min_versions or not self._config.delete_expired_files:
            return ()
        oldest = now_ms - self._ttl_ms
        return tuple(
            entry
            for entry in files
            if entry.entries and entry.max_timestamp < oldest and entry not in compacting
        )

    def is_large(self, total_bytes: int) -> bool:
        """Whether a compaction of so many bytes keeps small ones waiting for too long."""
        return total_bytes > self._throttle_bytes

    def pressure(self, files: Files) -> float:
        """0 with few files, 1 when they are as many as make flushes wait, and above."""
        few = self._config.compaction_files_min
        if len(files) <= few:
            return 0.0
        return (len(files) - few) / max(self._config.blocking_store_files - few, 1)

    def _bytes_max(self, off_peak: bool) -> int:
        config = self._config
        if off_peak and config.compaction_bytes_max_off_peak >= 0:
            return config.compaction_bytes_max_off_peak
        return config.compaction_bytes_max

    def _ratio(self, off_peak: bool) -> float:
        config = self._config
        return config.compaction_ratio_off_peak if off_peak else config.compaction_ratio

    def _without_first_giants(self, files: Files, off_peak: bool) -> Files:
        limit = self._bytes_max(off_peak)
        for number, entry in enumerate(files):
            if entry.is_reference or entry.size <= limit:
                return files[number:]
        return ()


class RatioBasedCompactionPolicy(CompactionPolicy):
    """Everything from the first file on that is not much larger than those after it."""

    def _choose(self, files: Files, *, stuck: bool, off_peak: bool) -> Files:
        config = self._config
        sizes = [entry.size for entry in files]
        ratio = self._ratio(off_peak)
        start = 0
        while len(files) - start >= config.compaction_files_min:
            following = sum(sizes[start + 1 : start + config.compaction_files_max])
            if sizes[start] <= max(self._bytes_min, int(following * ratio)):
                return files[start:]
            start += 1
        if stuck and len(files) >= config.compaction_files_min:
            return files[len(files) - config.compaction_files_min :]
        return ()


class ExploringCompactionPolicy(CompactionPolicy):
    """The best run of neighbours of like size: most files, then fewest bytes."""

    def _choose(self, files: Files, *, stuck: bool, off_peak: bool) -> Files:
        config = self._config
        best: Files = ()
        best_bytes = 0
        smallest: Files = ()
        smallest_bytes = 0
        limit, ratio = self._bytes_max(off_peak), self._ratio(off_peak)
        for start in range(len(files)):
            longest = min(len(files), start + config.compaction_files_max)
            for end in range(start + config.compaction_files_min, longest + 1):
                window = files[start:end]
                total = sum(entry.size for entry in window)
                if not smallest or total < smallest_bytes:
                    smallest, smallest_bytes = window, total
                if total > limit or not (total < self._bytes_min or _in_ratio(window, ratio)):
                    continue
                if _is_better(len(window), total, len(best), best_bytes, stuck):
                    best, best_bytes = window, total
        return best or (smallest if stuck else ())


COMPACTION_POLICIES: Final[dict[str, type[CompactionPolicy]]] = {
    one.__name__: one for one in (ExploringCompactionPolicy, RatioBasedCompactionPolicy)
}


def compaction_policy(config: StoreConfig, family: FamilyDescriptor) -> CompactionPolicy:
    """The policy that the store's settings name.

    Raises IllegalArgumentError for a name that is none of COMPACTION_POLICIES.
    """
    kind = COMPACTION_POLICIES.get(config.compaction_policy)
    if kind is None:
        raise IllegalArgumentError(
            f"no compaction policy is called {config.compaction_policy!r}; there are "
            f"{', '.join(COMPACTION_POLICIES)}"
        )
    return kind(config, family)


def _after_newest(files: Files, compacting: Collection[StoreFileEntry]) -> Files:
    """The files newer than all that are being compacted: older ones would jump the queue."""
    for number in range(len(files), 0, -1):
        if files[number - 1] in compacting:
            return files[number:]
    return files


def _in_ratio(window: Files, ratio: float) -> bool:
    """Whether no file is much larger than the others together."""
    total = sum(entry.size for entry in window)
    return all(entry.size <= (total - entry.size) * ratio for entry in window)


def _is_better(count: int, total: int, best_count: int, best_bytes: int, stuck: bool) -> bool:
    if stuck and best_bytes > 0 and total > 0:
        # Most files per byte: what brings the number of files down fastest.
        return count / total > 1.05 * best_count / best_bytes
    return (count, -total) > (best_count, -best_bytes)
