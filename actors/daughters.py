"""The first manifests of a split's daughters: references to halves of the parent's files.

Pure file work, so that any process can do it again when the one that began it has died.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..errors import NotServingRegionError, RegionOwnedElsewhereError, StaleMasterError
from ..model import META_TABLE, RegionInfo
from ..runtime import FileSystem
from ..storage.key import META_ROWS, PLAIN_ROWS, row_start
from ..storage.manifest import Manifest, StoreFileEntry
from .messages import SplitRequest
from .store_io import load_manifest, put_manifest

_FIRST: Final = 1


async def write_daughters(files: FileSystem, request: SplitRequest, owner: str = "") -> Manifest:
    """Makes sure that both daughters of a closed parent have their manifests.

    Those it writes name ``owner``. Returns the parent's manifest. Harmless to repeat, also
    while another run goes on, until a daughter is opened.

    Raises:
        RegionOwnedElsewhereError: the parent is not closed; close it first.
        StaleMasterError: a later master has had the parent opened or closed since.
        NotServingRegionError: there is no such parent.
    """
    parent = await load_manifest(files, request.parent)
    if parent is None:
        raise NotServingRegionError(f"{request.parent} has no manifest")
    if parent.owner:
        raise RegionOwnedElsewhereError(request.parent.encoded_name, parent.owner)
    if parent.master_epoch > request.master_epoch:
        raise StaleMasterError(f"a master of epoch {parent.master_epoch} closed {request.parent}")
    for wanted in daughter_manifests(parent, request, owner):
        await ensure_manifest(files, wanted)
    return parent


def daughter_manifests(
    parent: Manifest, request: SplitRequest, owner: str = ""
) -> tuple[Manifest, ...]:
    """What the daughters begin with, if ``parent`` is the parent's manifest.

    With an ``owner`` each is open there, and has a sequence id of its own for that.
    """
    split_row = request.daughters[1].start_key
    rows = META_ROWS if request.parent.table == META_TABLE else PLAIN_ROWS
    split_key = row_start(rows.encode(split_row))
    manifests = []
    for daughter in request.daughters:
        upper = daughter.start_key == split_row
        entries = tuple(
            _half(entry, split_key, upper=upper)
            for entry in parent.files
            if _has_half(entry, split_key, upper=upper)
        )
        first = _first_manifest(parent, daughter, entries, request.master_epoch)
        if owner:
            opened = first.max_sequence_id + 1
            first = replace(first, owner=owner, max_sequence_id=opened, open_sequence_id=opened)
        manifests.append(first)
    return tuple(manifests)


def _has_half(entry: StoreFileEntry, split_key: bytes, *, upper: bool) -> bool:
    """Whether the half can hold a cell, as far as the bounds of a reference tell."""
    if upper:
        return not entry.upper or split_key < entry.upper
    return entry.lower < split_key


def _half(entry: StoreFileEntry, split_key: bytes, *, upper: bool) -> StoreFileEntry:
    if upper:
        return replace(entry, lower=max(entry.lower, split_key))
    return replace(entry, upper=min(entry.upper, split_key) if entry.upper else split_key)


def _first_manifest(
    parent: Manifest,
    daughter: RegionInfo,
    entries: tuple[StoreFileEntry, ...],
    master_epoch: int,
) -> Manifest:
    return Manifest(
        version=_FIRST,
        region=daughter,
        master_epoch=master_epoch,
        max_sequence_id=parent.max_sequence_id,
        flushed=dict.fromkeys(parent.flushed, parent.max_sequence_id),
        clock_ms=parent.clock_ms,
        nonce_age_ms=parent.nonce_age_ms,
        nonce_files=parent.nonce_files,
        files=entries,
    )


async def ensure_manifest(files: FileSystem, wanted: Manifest) -> Manifest:
    """Commits the manifest unless one of it, or of a later close of the parent, is there;
    what is there then.

    An earlier try may have been followed by a roll-back, in which the parent was opened,
    written and closed again with a higher sequence id: the older manifest is replaced, and a
    late run of that earlier try finds the newer one and leaves it.
    """
    while True:
        present = await load_manifest(files, wanted.region)
        if present is not None and present.max_sequence_id >= wanted.max_sequence_id:
            return present
        version = _FIRST if present is None else present.version + 1
        manifest = replace(wanted, version=version)
        if await put_manifest(files, manifest):
            return manifest
