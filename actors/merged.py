"""The first manifest of a merged region: references to all files of its parents.

Pure file work, so that any process can do it again when the one that began it has died.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import NotServingRegionError, RegionOwnedElsewhereError, StaleMasterError
from ..model import META_TABLE, RegionInfo
from ..runtime import FileSystem
from ..storage.key import META_ROWS, PLAIN_ROWS, row_start
from ..storage.manifest import Manifest, NonceFileEntry, StoreFileEntry, region_directory
from .daughters import ensure_manifest
from .store_io import RECOVERED_EDITS, load_manifest, recovered_sequence_id


async def write_merged(
    files: FileSystem, parents: Sequence[RegionInfo], merged: RegionInfo, master_epoch: int
) -> None:
    """Makes sure that the merged region has its manifest. Requires: the parents are closed.

    Harmless to repeat, also while another run goes on, until the merged region is opened.

    Raises:
        RegionOwnedElsewhereError: a parent is not closed, or its owner died with edits that
            are in no file; open it again first.
        StaleMasterError: a later master has had a parent opened or closed since.
        NotServingRegionError: there is no such parent, or recovered edits of it were never
            replayed and flushed.
    """
    manifests = []
    for parent in parents:
        manifest = await load_manifest(files, parent)
        if manifest is None:
            raise NotServingRegionError(f"{parent} has no manifest")
        if manifest.owner:
            raise RegionOwnedElsewhereError(parent.encoded_name, manifest.owner)
        if manifest.master_epoch > master_epoch:
            raise StaleMasterError(f"a master of epoch {manifest.master_epoch} closed {parent}")
        await _check_recovered(files, manifest)
        manifests.append(manifest)
    await ensure_manifest(files, _first_manifest(manifests, merged, master_epoch))


async def _check_recovered(files: FileSystem, parent: Manifest) -> None:
    """Raises NotServingRegionError if edits of it are in recovered edits alone."""
    flushed = min(parent.flushed.values(), default=0)
    for name in await files.list(f"{region_directory(parent.region)}/{RECOVERED_EDITS}"):
        if recovered_sequence_id(name) > flushed:
            raise NotServingRegionError(
                f"{parent.region} has recovered edits that are in no file: it is to be opened first"
            )


def _first_manifest(parents: Sequence[Manifest], merged: RegionInfo, master_epoch: int) -> Manifest:
    """Sequence ids go on above those of every parent; their rows differ, so ids may meet."""
    highest = max(parent.max_sequence_id for parent in parents)
    families = dict.fromkeys(family for parent in parents for family in parent.flushed)
    return Manifest(
        version=1,
        region=merged,
        master_epoch=master_epoch,
        max_sequence_id=highest,
        flushed=dict.fromkeys(families, highest),
        clock_ms=max(parent.clock_ms for parent in parents),
        nonce_age_ms=max(parent.nonce_age_ms for parent in parents),
        nonce_files=_nonce_files(parents),
        files=tuple(entry for parent in parents for entry in _references(parent)),
    )


def _nonce_files(parents: Sequence[Manifest]) -> tuple[NonceFileEntry, ...]:
    """Theirs, as old as they are. Parents that were split from one region may share some."""
    age_ms = max(parent.nonce_age_ms for parent in parents)
    found: dict[str, NonceFileEntry] = {}
    for parent in parents:
        ahead_ms = age_ms - parent.nonce_age_ms
        for entry in parent.nonce_files:
            moved = replace(
                entry,
                oldest_ms=entry.oldest_ms + ahead_ms,
                newest_ms=entry.newest_ms + ahead_ms,
            )
            known = found.setdefault(entry.path, moved)
            found[entry.path] = max(known, moved, key=lambda one: one.newest_ms)
    return tuple(found.values())


def _references(parent: Manifest) -> Iterable[StoreFileEntry]:
    """Its files, bounded by its range: so a compaction sees that they are not the region's."""
    rows = META_ROWS if parent.region.table == META_TABLE else PLAIN_ROWS
    start, end = parent.region.start_key, parent.region.end_key
    lower = row_start(rows.encode(start)) if start else b""
    upper = row_start(rows.encode(end)) if end else b""
    for entry in parent.files:
        bounds = [bound for bound in (entry.upper, upper) if bound]
        yield replace(entry, lower=max(entry.lower, lower), upper=min(bounds, default=b""))
