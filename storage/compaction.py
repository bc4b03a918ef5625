"""Compaction: a choice of files of a store, and their merge into one.

The merge is one function of its inputs and options, for running anywhere. Source:
Compactor.java, DefaultCompactor.java; compaction_policy.py chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..model import FamilyDescriptor
from .block_cache import BlockCache
from .hfile import HFileImage, HFileWriter
from .key import META_ROWS, PLAIN_ROWS
from .manifest import StoreFileEntry
from .retention import Retention
from .store_file import StoreFile
from .window import Window, merge

BLOCKS_AHEAD: Final = 8
"""Of every input that are merged at once: one after another they take a fifth longer."""


@dataclass(frozen=True, slots=True)
class CompactionOptions:
    """All that a compaction depends on besides its inputs."""

    family: FamilyDescriptor
    major: bool
    """Whether surplus versions and tombstones go: only if every file of the store is input,
    for then whatever a tombstone can hide is input, too, or was written after it."""
    read_point: int
    """The least one of an open scanner: what was written up to it is settled."""
    now_ms: int
    meta_rows: bool = False
    """Whether the rows are hbase:meta's."""
    purge_deletes_ms: int = 0
    """Tombstones younger than this stay."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """A choice of files of one store, to be merged into one."""

    inputs: tuple[StoreFileEntry, ...]
    options: CompactionOptions
    is_expired: bool = False
    """Whether no cell of the inputs is needed: they go without being read."""
    is_large: bool = False
    """Whether it is to run apart from small ones."""
    off_peak: bool = False
    """Whether it was chosen by the off-peak values."""

    @property
    def family(self) -> bytes:
        return self.options.family.name


class Merge:
    """The work of a compaction, in steps: the same inputs and options give the same bytes.

    It needs memory for BLOCKS_AHEAD blocks of every input, in ``cache`` and cut into cells, for
    what of the output nobody has drained yet, and for the output's index. Inputs need not be in
    memory as a whole.
    """

    def __init__(
        self, inputs: Sequence[StoreFile], options: CompactionOptions, cache: BlockCache
    ) -> None:
        family = options.family
        self._inputs = inputs
        self._options = options
        self._cache = cache
        self._writer = HFileWriter(family, META_ROWS if options.meta_rows else PLAIN_ROWS)
        puts = [file.reader.stats.earliest_put_timestamp for file in inputs]
        self._retention = Retention(
            family,
            options.read_point,
            options.now_ms,
            major=options.major,
            purge_deletes_ms=options.purge_deletes_ms,
            earliest_put=min(puts, default=0),
        )
        self._ahead: list[Window | None] = [None] * len(inputs)
        """Of every input the cells from ``_start`` on that were read; None: none of them."""
        self._start = b""
        self.exhausted = not inputs
        """Whether all cells have been read."""

    def step(self) -> None:
        """Takes the next cells, at most BLOCKS_AHEAD blocks of every input.

        Raises BlockMiss: hand the bytes to the input's reader and call again. Raises
        CorruptionError if an input is damaged, in which case nothing may be replaced.
        """
        ahead = self._read_ahead()
        bound = min((window.bound for window in ahead if window.bound), default=b"")
        parts = []
        for place, window in enumerate(ahead):
            part, rest = (window, None) if window.bound == bound else window.split(bound)
            parts.append(part)
            self._ahead[place] = rest
        for kept in self._retention.apply((merge(parts),)):
            self._writer.append_window(kept)
        self._start = bound
        self.exhausted = not bound

    def _read_ahead(self) -> list[Window]:
        """The cells at hand of every input. Raises BlockMiss, keeping what others gave."""
        ahead = []
        for place, file in enumerate(self._inputs):
            window = self._ahead[place]
            if window is None:
                window = self._ahead[place] = self._read(file)
            ahead.append(window)
        return ahead

    def _read(self, file: StoreFile) -> Window:
        windows = [file.window(self._start, b"", self._cache)]
        while windows[-1].bound and len(windows) < BLOCKS_AHEAD:
            windows.append(file.window(windows[-1].bound, b"", self._cache))
        return Window.joined(windows)

    def drain(self) -> bytes:
        """The bytes of the output that are finished since the last call."""
        return self._writer.drain()

    def finish(self) -> HFileImage:
        """The end of the output: what was not drained, and what the whole file holds."""
        return self._writer.finish(
            max_sequence_id=max(file.entry.max_sequence_id for file in self._inputs),
            major=self._options.major,
            created_ms=self._options.now_ms,
        )


def compact(
    inputs: Sequence[StoreFile], options: CompactionOptions, cache: BlockCache
) -> HFileImage:
    """One file with all of the inputs' cells that anybody can still need, in memory.

    The inputs' bytes are in memory, too (``HFileReader.attach_image``). Raises CorruptionError
    if an input is damaged, in which case nothing may be replaced.
    """
    work = Merge(inputs, options, cache)
    while not work.exhausted:
        work.step()
    return work.finish()
