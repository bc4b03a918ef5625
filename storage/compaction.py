"""Compaction: which files to merge, and the merge.

Selection is HBase's exploring policy (ExploringCompactionPolicy.java, with the rules round it
of SortedCompactionPolicy.java); the merge is one function of its inputs and options, for
running anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..config import StoreConfig
from ..model import FamilyDescriptor
from .block_cache import BlockCache
from .hfile import HFileImage, HFileWriter
from .key import META_ROWS, PLAIN_ROWS
from .manifest import StoreFileEntry
from .retention import Retention
from .store_file import StoreFile
from .window import Window, merge


@dataclass(frozen=True, slots=True)
class CompactionOptions:
    """All that a compaction depends on besides its inputs."""

    family: FamilyDescriptor
    major: bool
    """Whether surplus versions and tombstones go: only if every file of the store is input."""
    read_point: int
    """The least one of an open scanner."""
    now_ms: int
    meta_rows: bool = False
    """Whether the rows are hbase:meta's."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """A choice of files of one store, to be merged into one."""

    inputs: tuple[StoreFileEntry, ...]
    options: CompactionOptions

    @property
    def family(self) -> bytes:
        return self.options.family.name

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.inputs)


def select_files(
    files: Sequence[StoreFileEntry], config: StoreConfig, *, major: bool = False
) -> tuple[StoreFileEntry, ...]:
    """The files of a store to compact together; none if that is not worth while.

    ``files`` are in order of their edits, oldest first, without those that are being
    compacted and what is older than these. All of them are taken for a major compaction, and
    while references to a parent's files are left.
    """
    if not files:
        return ()
    if major or any(entry.is_reference for entry in files):
        return tuple(files)
    stuck = len(files) >= config.blocking_store_files
    return _explore(files, config, stuck)


def _explore(
    files: Sequence[StoreFileEntry], config: StoreConfig, stuck: bool
) -> tuple[StoreFileEntry, ...]:
    """The best run of neighbours: most files, then fewest bytes."""
    best: Sequence[StoreFileEntry] = ()
    best_bytes = 0
    smallest: Sequence[StoreFileEntry] = ()
    smallest_bytes = 0
    for start in range(len(files)):
        longest = min(len(files), start + config.compaction_files_max)
        for end in range(start + config.compaction_files_min, longest + 1):
            window = files[start:end]
            total = sum(entry.size for entry in window)
            if stuck and (not smallest or total < smallest_bytes):
                smallest, smallest_bytes = window, total
            if total >= config.compaction_bytes_min and not _in_ratio(window, total, config):
                continue
            if _is_better(len(window), total, len(best), best_bytes, stuck):
                best, best_bytes = window, total
    return tuple(best or smallest)


def _in_ratio(window: Sequence[StoreFileEntry], total: int, config: StoreConfig) -> bool:
    """Whether no file is much larger than the others together."""
    return all(entry.size <= (total - entry.size) * config.compaction_ratio for entry in window)


def _is_better(count: int, total: int, best_count: int, best_bytes: int, stuck: bool) -> bool:
    if not best_count:
        return True
    if stuck:
        # Most files per byte: what brings the number of files down fastest.
        return count * best_bytes > 1.05 * best_count * total
    return (count, -total) > (best_count, -best_bytes)


def compact(
    inputs: Sequence[StoreFile], options: CompactionOptions, cache: BlockCache
) -> HFileImage:
    """One file with all of the inputs' cells that anybody can still need.

    The inputs' bytes are in memory (``HFileReader.attach_image``); a block is decoded once.
    Raises CorruptionError if an input is damaged, in which case nothing may be replaced.
    """
    rows = META_ROWS if options.meta_rows else PLAIN_ROWS
    writer = HFileWriter(options.family, rows)
    retention = Retention(options.family, options.read_point, options.now_ms, major=options.major)
    for keys, values in retention.apply(_merged(inputs, cache)):
        writer.append(keys, values)
    return writer.finish(
        max_sequence_id=max(file.entry.max_sequence_id for file in inputs),
        major=options.major,
        created_ms=options.now_ms,
    )


def _merged(inputs: Sequence[StoreFile], cache: BlockCache) -> Iterator[Window]:
    start = b""
    while True:
        window = merge([file.window(start, b"", cache) for file in inputs])
        yield window
        if not window.bound:
            return
        start = window.bound
