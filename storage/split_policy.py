"""When a region splits, and where.

Source: ConstantSizeRegionSplitPolicy.java, StoreUtils.java.
"""

from __future__ import annotations

from collections.abc import Sequence

from .block_cache import BlockCache
from .key import RowEncoder
from .store import Store


def should_split(stores: Sequence[Store], bytes_max: int) -> bool:
    """Whether a store outgrew ``bytes_max`` and no store refers to a parent's files."""
    return any(store.file_bytes > bytes_max for store in stores) and can_split(stores)


def can_split(stores: Sequence[Store]) -> bool:
    """Whether all files are the region's own; a compaction sees to it."""
    return not any(store.has_references for store in stores)


def split_row(stores: Sequence[Store], encoder: RowEncoder, cache: BlockCache) -> bytes | None:
    """The middle row of the largest file of the largest store.

    None if there is no such row that leaves something on both sides. May raise BlockMiss.
    """
    largest = max(stores, key=lambda store: store.file_bytes)
    if not largest.files:
        return None
    file = max(largest.files, key=lambda one: one.entry.size)
    encoded = file.split_row(cache)
    return None if encoded is None else encoder.decode(encoded)
