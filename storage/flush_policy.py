"""Which families a flush takes.

A flush of all families leaves small files of those that have little in memory; a flush of the
large ones alone leaves their small neighbours' edits pinning the log. HBase's choice, and the
default: the large ones and those with old edits, and all if there are none of these.
Source: FlushPolicy.java, FlushLargeStoresPolicy.java, FlushAllLargeStoresPolicy.java.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Final

from ..config import StoreConfig
from ..errors import IllegalArgumentError


class FlushPolicy(ABC):
    """``config`` is the table's (settings.table_config)."""

    def __init__(self, config: StoreConfig) -> None:
        self._config = config

    @abstractmethod
    def select(
        self, memstore_bytes: Mapping[bytes, int], old: Collection[bytes]
    ) -> tuple[bytes, ...]:
        """Families to flush now, never none.

        ``memstore_bytes`` is what each family of the table has in memory; ``old`` are those
        with edits that have been there for too long.
        """


class FlushAllStoresPolicy(FlushPolicy):
    """All families."""

    def select(
        self, memstore_bytes: Mapping[bytes, int], old: Collection[bytes]
    ) -> tuple[bytes, ...]:
        return tuple(memstore_bytes)


class FlushAllLargeStoresPolicy(FlushPolicy):
    """Families with much in memory or with old edits; all, if there are none."""

    def select(
        self, memstore_bytes: Mapping[bytes, int], old: Collection[bytes]
    ) -> tuple[bytes, ...]:
        limit = self._large_above(len(memstore_bytes))
        chosen = tuple(
            family for family, held in memstore_bytes.items() if held > limit or family in old
        )
        return chosen or tuple(memstore_bytes)

    def _large_above(self, families: int) -> int:
        config = self._config
        if config.flush_family_bytes >= 0:
            return config.flush_family_bytes
        return max(config.flush_bytes // families, config.flush_family_bytes_min)


FLUSH_POLICIES: Final[dict[str, type[FlushPolicy]]] = {
    one.__name__: one for one in (FlushAllLargeStoresPolicy, FlushAllStoresPolicy)
}


def flush_policy(config: StoreConfig) -> FlushPolicy:
    """The policy that the table's settings name.

    Raises IllegalArgumentError for a name that is none of FLUSH_POLICIES.
    """
    kind = FLUSH_POLICIES.get(config.flush_policy)
    if kind is None:
        raise IllegalArgumentError(
            f"no flush policy is called {config.flush_policy!r}; there are "
            f"{', '.join(FLUSH_POLICIES)}"
        )
    return kind(config)
