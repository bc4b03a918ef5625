"""The files of a region: what is flushed into them, merged, and listed in the manifest.

Memstores' cells get into files and files into one another by three steps each: a plan, which
sets aside what it is about; the work, done by others; and the commit of a manifest, before
which nothing has happened. Source: HRegion.java (internalFlushcache), HStore.java.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from ..config import StoreConfig
from .block_cache import BlockCache
from .compaction import Compaction, CompactionOptions
from .compaction_policy import CompactionPolicy, compaction_policy
from .flush import FlushPlan
from .flush_policy import flush_policy
from .key import META_ROWS, RowEncoder
from .manifest import Manifest, StoreFileEntry
from .region_reader import RegionReader
from .region_writer import RegionWriter
from .settings import family_config
from .store import Store
from .store_file import StoreFile


class RegionFiles:
    """Plans and commits of one region.

    Args:
        manifest: the version it was opened with.
        stores: the region's, by family; their files and snapshots are changed here.
        writer: knows sequence ids, the clock and nonces.
        reader: knows what open scanners need.
        encoder: the table's row encoder.
        config: the table's settings.
        cache: keeps the files' blocks.

    Raises IllegalArgumentError if a family's settings make no sense.

    """

    def __init__(
        self,
        manifest: Manifest,
        stores: Mapping[bytes, Store],
        writer: RegionWriter,
        reader: RegionReader,
        encoder: RowEncoder,
        config: StoreConfig,
        cache: BlockCache,
    ) -> None:
        self.manifest = manifest
        """The newest version committed."""
        self._stores = stores
        self._writer = writer
        self._mvcc = writer.mvcc
        self._reader = reader
        self._config = config
        self._cache = cache
        self._meta_rows = encoder is META_ROWS
        self._flush_policy = flush_policy(config)
        self.policies: dict[bytes, CompactionPolicy] = {}
        """What chooses the files to compact, by family."""
        self._blocking: dict[bytes, int] = {}
        self._purge_deletes_ms: dict[bytes, int] = {}
        for name, store in stores.items():
            own = family_config(config, store.family)
            self.policies[name] = compaction_policy(own, store.family)
            self._blocking[name] = own.blocking_store_files
            self._purge_deletes_ms[name] = int(own.purge_deletes_s * 1000)
        self._compacting: dict[bytes, tuple[StoreFileEntry, ...]] = {}
        self._replaced: WeakValueDictionary[str, StoreFile] = WeakValueDictionary()
        """Files compacted away that an open scanner still reads."""

    @property
    def entries(self) -> tuple[StoreFileEntry, ...]:
        """All files read, by family, oldest edits first."""
        return tuple(file.entry for store in self._stores.values() for file in store.files)

    @property
    def flushed_sequence_id(self) -> int:
        """All edits up to this one are in files, so the log need not keep them."""
        oldest = [one.oldest_unflushed for one in self._stores.values()]
        waiting = [one for one in oldest if one]
        return min(waiting) - 1 if waiting else self._mvcc.read_point

    def file(self, path: str) -> StoreFile | None:
        """The open file of this path; None if it was replaced and no scanner reads it."""
        for store in self._stores.values():
            for file in store.files:
                if file.path == path:
                    return file
        return self._replaced.get(path)

    @property
    def replaced_paths(self) -> tuple[str, ...]:
        """Files that were compacted away and that open scanners still read, in order."""
        return tuple(sorted(self._replaced))

    def room(self, family: bytes | None = None) -> int:
        """How many more files the store, or the fullest one, may get before flushes have to
        wait; below 0 if they have to."""
        names = self._stores if family is None else (family,)
        return min(self._blocking[name] - len(self._stores[name].files) for name in names)

    def is_compacting(self, family: bytes) -> bool:
        """Whether files of the store belong to a plan."""
        return bool(self._compacting.get(family))

    # Flush

    def families_with_edits(self, sequence_id: int) -> tuple[bytes, ...]:
        """Families with an edit up to this one that is in no file."""
        return tuple(
            name
            for name, store in self._stores.items()
            if 0 < store.oldest_unflushed <= sequence_id
        )

    @property
    def overdue(self) -> tuple[bytes, ...]:
        """Families with an edit in memory that is older than flush_changes_max later ones."""
        return self.families_with_edits(self._mvcc.read_point - self._config.flush_changes_max)

    def families_to_flush(self, old: Collection[bytes] = ()) -> tuple[bytes, ...]:
        """What the table's flush policy takes now; ``old`` are those with old edits."""
        held = {name: store.memstore_bytes for name, store in self._stores.items()}
        return self._flush_policy.select(held, {*old, *self.overdue})

    def begin_flush(self, now_ms: int, families: Sequence[bytes] | None = None) -> FlushPlan | None:
        """Sets the memstores' cells aside to be written; None if there are none.

        Requires: no flush is under way.
        """
        stores = [
            store
            for name, store in self._stores.items()
            if len(store.active) and (families is None or name in families)
        ]
        if not stores:
            return None
        snapshots = {store.family.name: (store.family, store.take_snapshot()) for store in stores}
        return FlushPlan(
            self._mvcc.last,
            tuple(snapshots),
            sum(memstore.memory_bytes for _, memstore in snapshots.values()),
            snapshots,
            self._reader.least_read_point(),
            now_ms,
            self._writer.nonces.begin_flush(),
        )

    def flush_manifest(self, plan: FlushPlan, written: Sequence[StoreFileEntry]) -> Manifest:
        """The manifest that commits the flush: the version after the present one.

        A family's flushed id is below its oldest edit that stays in memory, so that recovery
        replays that one and does not lose what came after it in the log.

        Requires: ``read_point`` has reached ``plan.sequence_id``, so that the log holds
        whatever the files hold.
        """
        assert self._mvcc.read_point >= plan.sequence_id, "the log is behind the files"
        flushed = {}
        for name, store in self._stores.items():
            stays = 0 if name in plan.families else store.oldest_unflushed
            through = min(plan.sequence_id, stays - 1) if stays else plan.sequence_id
            flushed[name] = max(through, store.flushed)
        manifest = self.next_manifest(flushed=flushed, files=(*self.entries, *written))
        if plan.nonces is None:
            return manifest
        tables = self._writer.nonces.after(plan.nonces)
        return replace(manifest, nonce_files=tuple(one.entry for one in tables))

    def commit_flush(
        self, plan: FlushPlan, files: Mapping[bytes, StoreFile], manifest: Manifest
    ) -> None:
        """The manifest is committed: reads go to the files, the memory is free.

        ``files`` has the new file of every family that wrote one.
        """
        for name in plan.families:
            self._stores[name].drop_snapshot(files.get(name))
        if plan.nonces is not None:
            self._writer.nonces.commit_flush(plan.nonces)
        self._committed(manifest)

    def abort_flush(self, plan: FlushPlan) -> None:
        """The flush was given up before its manifest was committed."""
        for name in plan.families:
            self._stores[name].restore_snapshot()
        if plan.nonces is not None:
            self._writer.nonces.abort_flush()

    # Compaction

    def wants_compaction(self, family: bytes, now_ms: int) -> bool:
        """Whether a plan is likely to find something."""
        files = [file.entry for file in self._stores[family].files]
        compacting = self._compacting.get(family, ())
        return self.policies[family].needs_compaction(files, compacting, now_ms)

    def plan_compaction(
        self, family: bytes, now_ms: int, *, major: bool = False, off_peak: bool = False
    ) -> Compaction | None:
        """Chooses files of a store to merge; None if there is nothing worth while.

        ``major``: somebody asked for all files. They are taken if none is being compacted
        already. Files belong to the plan until ``commit_compaction`` or ``abort_compaction``.
        """
        policy = self.policies[family]
        files = [file.entry for file in self._stores[family].files]
        compacting = self._compacting.get(family, ())
        expired = policy.expired(files, compacting, now_ms)
        inputs = expired or policy.select(
            files, compacting, now_ms=now_ms, major=major, by_user=major, off_peak=off_peak
        )
        if not inputs:
            return None
        self._compacting[family] = (*compacting, *inputs)
        whole = len(inputs) == len(files)
        options = CompactionOptions(
            self._stores[family].family,
            whole,
            self._reader.least_read_point(),
            now_ms,
            self._meta_rows,
            self._purge_deletes_ms[family],
        )
        large = not expired and policy.is_large(sum(entry.size for entry in inputs))
        return Compaction(inputs, options, bool(expired), large, off_peak and not whole)

    def compaction_manifest(
        self, compaction: Compaction, written: StoreFileEntry | None
    ) -> Manifest:
        """The manifest that puts the file written (None: nothing was left) for the inputs."""
        kept = tuple(one for one in self.entries if one not in compaction.inputs)
        assert len(kept) + len(compaction.inputs) == len(self.entries), "inputs are not here"
        return self.next_manifest(files=kept if written is None else (*kept, written))

    def commit_compaction(
        self, compaction: Compaction, file: StoreFile | None, manifest: Manifest
    ) -> tuple[StoreFileEntry, ...]:
        """The manifest is committed: returns the inputs, which no read needs from now on."""
        store = self._stores[compaction.family]
        kept = [one for one in store.files if one.entry not in compaction.inputs]
        self._replaced.update(
            (one.path, one) for one in store.files if one.entry in compaction.inputs
        )
        store.set_files(kept if file is None else [*kept, file])
        for entry in compaction.inputs:
            self._cache.remove_file(entry.path)
        self.abort_compaction(compaction)
        self._committed(manifest)
        return compaction.inputs

    def abort_compaction(self, compaction: Compaction) -> None:
        """The compaction failed before its manifest was committed."""
        left = self._compacting.get(compaction.family, ())
        self._compacting[compaction.family] = tuple(
            entry for entry in left if entry not in compaction.inputs
        )

    # Manifests

    def next_manifest(self, **changes: Any) -> Manifest:
        """The version after the present one: what is known now, and ``changes``."""
        writer = self._writer
        writer.nonces.forget(writer.clock.last_ms)
        known = {
            "max_sequence_id": self._mvcc.last,
            "clock_ms": writer.clock.last_ms,
            "nonce_age_ms": writer.nonces.age_ms,
            "nonce_files": tuple(one.entry for one in writer.nonces.tables),
            "files": self.entries,
        }
        return self.manifest.next(**{**known, **changes})

    def _committed(self, manifest: Manifest) -> None:
        self.manifest = manifest
        for name, store in self._stores.items():
            store.flushed = manifest.flushed.get(name, store.flushed)
        in_stores = sum(store.memstore_bytes for store in self._stores.values())
        self._writer.memory_bytes = in_stores + self._writer.nonces.memory_bytes
