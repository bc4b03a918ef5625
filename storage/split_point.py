"""Where a region splits: the middle row, cut to what has to stay together.

Source: RegionSplitPolicy.java (getSplitPoint), StoreUtils.java, RegionSplitRestriction.java
and its kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..errors import IllegalArgumentError
from .block_cache import BlockCache
from .key import RowEncoder
from .store import Store

RESTRICTION: Final = "hbase.regionserver.region.split_restriction"
"""Begins the table's attributes .type, .prefix_length and .delimiter, which cut the row
whatever the split policy is."""

Cut = Callable[[bytes], bytes]
"""From a row to the one to split at."""


def can_split(stores: Sequence[Store]) -> bool:
    """Whether all files are the region's own; a compaction sees to it."""
    return not any(store.has_references for store in stores)


def middle_row(stores: Sequence[Store], encoder: RowEncoder, cache: BlockCache) -> bytes | None:
    """The row in the middle of the largest file of the largest store that has such a row.

    A file has none if it would be its first or last row: nothing would be left on a side.
    May raise BlockMiss.
    """
    for store in sorted(stores, key=lambda one: one.file_bytes, reverse=True):
        if store.files:
            encoded = max(store.files, key=lambda one: one.entry.size).split_row(cache)
            if encoded is not None:
                return encoder.decode(encoded)
    return None


def by_prefix(option: str, text: str | None) -> Cut:
    """Rows with the same first bytes stay together; ``text`` says how many, for ``option``.

    Raises IllegalArgumentError unless that is a positive number.
    """
    if text is None or not text.isdecimal() or int(text) < 1:
        raise IllegalArgumentError(f"{option} must be a number of bytes, not {text!r}")
    length = int(text)
    return lambda row: row[:length]


def by_delimiter(option: str, text: str | None) -> Cut:
    """Rows that are equal up to the first delimiter stay together; a row without one is
    left as it is.

    Raises IllegalArgumentError if there is no delimiter.
    """
    if not text:
        raise IllegalArgumentError(f"{option} must be a text, not {text!r}")
    delimiter = text.encode()
    return lambda row: row.partition(delimiter)[0]


def restriction(attributes: Mapping[str, str]) -> Cut:
    """What a table's attributes say of its split rows.

    Raises IllegalArgumentError for a type that does not exist or lacks its option.
    """
    kind = attributes.get(f"{RESTRICTION}.type", "None")
    if kind == "None":
        return lambda row: row
    if kind == "KeyPrefix":
        option = f"{RESTRICTION}.prefix_length"
        return by_prefix(option, attributes.get(option))
    if kind == "DelimitedKeyPrefix":
        option = f"{RESTRICTION}.delimiter"
        return by_delimiter(option, attributes.get(option))
    raise IllegalArgumentError(
        f"{RESTRICTION}.type is None, KeyPrefix or DelimitedKeyPrefix, not {kind!r}"
    )
