"""A store: one family of a region, as memstore, snapshot being flushed, and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import BlockMiss
from ..model import ALL_TIME, FamilyDescriptor, TimeRange
from .block_cache import BlockCache
from .memstore import MemStore
from .store_file import StoreFile
from .window import Window, merge

WINDOW_CELLS: Final = 1024
"""Cells a memstore offers at a time: about as many as a block of a file has."""


_ROW_CELLS: Final = 64
"""Cells of a row that are looked for in a memstore at first."""


class Store:
    """All cells of a family in a region.

    ``flushed`` is the sequence id up to which every edit of the family is in ``files``.
    A reader that works in pieces asks a view for each piece by key, so flushes and compactions
    may come in between: what it has not seen yet is always all there.
    """

    def __init__(
        self,
        family: FamilyDescriptor,
        files: Sequence[StoreFile],
        flushed: int,
        cache: BlockCache,
    ) -> None:
        self.family = family
        self.files: tuple[StoreFile, ...] = ()
        self.flushed = flushed
        self.active = MemStore()
        self.snapshot: MemStore | None = None
        self._cache = cache
        self._last_flushed = _Flushed()
        self.set_files(files)

    @property
    def memstore_bytes(self) -> int:
        snapshot = self.snapshot.memory_bytes if self.snapshot is not None else 0
        return self.active.memory_bytes + snapshot

    @property
    def memstores(self) -> list[MemStore]:
        """Oldest first."""
        return [self.active] if self.snapshot is None else [self.snapshot, self.active]

    @property
    def has_tags(self) -> bool:
        """Whether a cell may have tags: nearly no store's cells have any."""
        return self._files_have_tags or any(one.has_tags for one in self.memstores)

    @property
    def oldest_unflushed(self) -> int:
        """Sequence id of the oldest edit that is in no file; 0 if there is none."""
        return next((one.min_sequence_id for one in self.memstores if len(one)), 0)

    @property
    def file_bytes(self) -> int:
        return sum(file.entry.size for file in self.files)

    @property
    def has_references(self) -> bool:
        return any(file.entry.is_reference for file in self.files)

    def set_files(self, files: Sequence[StoreFile]) -> None:
        """Reads go to these files from now on; oldest edits first."""
        self.files = tuple(
            sorted(files, key=lambda one: (one.entry.max_sequence_id, -one.entry.size, one.path))
        )
        for file in self.files:
            file.reader.in_memory = self.family.in_memory
        self._files_have_tags = any(one.reader.stats.max_tags_bytes for one in files)

    def view(self) -> StoreView:
        """For a reader that works in pieces."""
        return StoreView(self, self._last_flushed)

    @property
    def is_plain(self) -> bool:
        """Whether no cell ends by itself, the newest put of a column is what is seen of it
        unless there is a tombstone, and blocks stay in the cache."""
        if self._files_have_tags or self.active.has_tags:
            return False
        if self.snapshot is not None and self.snapshot.has_tags:
            return False
        family = self.family
        return not family.ttl_s and not family.new_version_behavior and family.cache_blocks

    def row_window(self, row: bytes, start: bytes, stop: bytes) -> Window:
        """The cells of an encoded row, whose keys are ``start <= key < stop``.

        With a bound, these are not all. Raises BlockMiss of all blocks that its files are known to
        lack, with nothing changed.
        """
        windows = [one.window(start, stop, _ROW_CELLS) for one in self.memstores if len(one)]
        cache = self._cache
        missed: list[BlockMiss] = []
        for file in self.files:
            try:
                window = file.row_window(row, start, stop, cache)
            except BlockMiss as miss:
                missed.append(miss.with_traceback(None))
            else:
                if window:
                    windows.append(window)
        if missed:
            raise BlockMiss.joined(missed)
        if len(windows) == 1:
            return windows[0]
        return merge(windows)

    def window(
        self,
        start: bytes,
        stop: bytes,
        times: TimeRange = ALL_TIME,
        *,
        row: bytes | None = None,
        qualifiers: Sequence[bytes] | None = None,
        cells_max: int = WINDOW_CELLS,
        keep: bool = True,
        files: Sequence[StoreFile] | None = None,
    ) -> Window:
        """The store's cells with ``start <= key < stop``, up to a bound of its choice.

        Args:
            start: key to begin with.
            stop: key to end before; empty: no end.
            times: files that cannot matter to these timestamps are left out.
            row: the encoded row, if only that one is asked for.
            qualifiers: the columns of that row, if not all of them are.
            cells_max: how much of a memstore to look at.
            keep: whether blocks stay in the cache, unless the family's never do.
            files: those to read beside the memstores, if not the store's.

        Raises BlockMiss, with nothing changed.

        """
        windows = [one.window(start, stop, cells_max) for one in self.memstores if len(one)]
        cache = self._cache
        keep = keep and self.family.cache_blocks
        for file in self.files if files is None else files:
            if not file.may_have_range(start, stop):
                continue
            if row is None:
                if not file.may_have_between(start, stop, cache):
                    continue
            elif not file.may_have_columns(row, qualifiers, cache):
                continue
            if times is ALL_TIME or file.may_matter_at(times):
                windows.append(file.window(start, stop, cache, keep=keep))
        if len(windows) == 1:
            return windows[0]
        return merge(windows)

    def rows_window(self, rows: Sequence[bytes]) -> Window:
        """All cells of these encoded rows, which are in order and differ.

        Raises BlockMiss, with nothing changed.
        """
        windows = [one.rows_window(rows) for one in self.memstores if len(one)]
        windows += [file.rows_window(rows, self._cache) for file in self.files]
        return merge(windows)

    def keys_below(
        self, key: bytes, cells_max: int, files: Sequence[StoreFile], *, keep: bool = True
    ) -> list[list[bytes]]:
        """Of every memstore and file the last keys below ``key``, greatest first; no empty lists.

        Raises BlockMiss, with nothing changed.
        """
        found = [one.keys_below(key, cells_max) for one in self.memstores]
        keep = keep and self.family.cache_blocks
        found += [one.keys_below(key, cells_max, self._cache, keep=keep) for one in files]
        return [keys for keys in found if keys]

    def take_snapshot(self) -> MemStore:
        """Sets the memstore's cells aside for a flush; new ones go to an empty one."""
        assert self.snapshot is None, "one flush of a store at a time"
        self.snapshot, self.active = self.active, MemStore()
        return self.snapshot

    def drop_snapshot(self, file: StoreFile | None) -> None:
        """The snapshot's cells are in this file now; None: none of them is needed."""
        if file is not None:
            self.set_files((*self.files, file))
            self._last_flushed = self._last_flushed.followed_by(file)
        self.snapshot = None

    def restore_snapshot(self) -> None:
        """The flush did not happen: its cells are the memstore's again."""
        snapshot, newer = self.snapshot, self.active
        assert snapshot is not None, "a snapshot is restored once"
        self.snapshot, self.active = None, snapshot
        for window in newer.slices(WINDOW_CELLS):
            snapshot.add(window.keys, window.values, newer.min_sequence_id)


class _Flushed:
    """A place in the row of a store's flushed files, which lasts as long as a view stands there."""

    __slots__ = ("file", "next")

    def __init__(self) -> None:
        self.file: StoreFile | None = None
        self.next: _Flushed | None = None

    def followed_by(self, file: StoreFile) -> _Flushed:
        self.file, self.next = file, _Flushed()
        return self.next


class StoreView:
    """A store as it was, for a reader that works in pieces.

    It reads the files that were there when it was made, and what was flushed since, whatever
    they were compacted into: a compaction drops tombstones and versions that decide, for this
    reader, over cells that were not among its inputs. Source: StoreScanner.java, which keeps
    its files open as well.
    """

    def __init__(self, store: Store, last_flushed: _Flushed) -> None:
        self.family = store.family
        self._store = store
        self._files = store.files
        self._last_flushed = last_flushed

    @property
    def files(self) -> tuple[StoreFile, ...]:
        """Those that are read, however old."""
        while (following := self._last_flushed.next) is not None:
            assert self._last_flushed.file is not None
            self._files += (self._last_flushed.file,)
            self._last_flushed = following
        return self._files

    def window(
        self,
        start: bytes,
        stop: bytes,
        times: TimeRange = ALL_TIME,
        *,
        row: bytes | None = None,
        qualifiers: Sequence[bytes] | None = None,
        cells_max: int = WINDOW_CELLS,
        keep: bool = True,
    ) -> Window:
        """As ``Store.window``."""
        return self._store.window(
            start,
            stop,
            times,
            row=row,
            qualifiers=qualifiers,
            cells_max=cells_max,
            keep=keep,
            files=self.files,
        )

    def keys_below(self, key: bytes, cells_max: int, *, keep: bool = True) -> list[list[bytes]]:
        """As ``Store.keys_below``."""
        return self._store.keys_below(key, cells_max, self.files, keep=keep)
