"""When a region splits by itself, and which of its rows stay together.

Source: RegionSplitPolicy.java and its seven kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..config import StoreConfig
from ..errors import IllegalArgumentError
from .split_point import by_delimiter, by_prefix, restriction

PREFIX_LENGTH: Final = "KeyPrefixRegionSplitPolicy.prefix_length"
DELIMITER: Final = "DelimitedKeyPrefixRegionSplitPolicy.delimiter"
_OLD_PREFIX_LENGTH: Final = "prefix_split_key_policy.prefix_length"
_CUBED_REGIONS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class RegionLoad:
    """What a server knows of a region besides its files; counts since it was opened."""

    table_regions: int = 0
    """Regions of its table at this server."""
    writes: int = 0
    """Requests taken."""
    writes_blocked: int = 0
    """Requests pushed back because memory was full."""
    now_ms: int = 0


class SplitPolicy(ABC):
    """When to split; kinds that look at rows also say where to cut the row found.

    Args:
        config: the table's settings (settings.table_config).
        attributes: the table's, for kinds with options.
        jitter: in [0, 1), drawn once for each opening of a region: 0.5 changes nothing.

    Raises IllegalArgumentError for options that a kind cannot do with.
    """

    def __init__(
        self, config: StoreConfig, attributes: Mapping[str, str], jitter: float = 0.5
    ) -> None:
        self._config = config
        limit = config.region_bytes_max
        self._limit = int(limit + limit * (jitter - 0.5) * config.region_bytes_jitter)
        self._restrict = restriction(attributes)

    @abstractmethod
    def wants_split(self, store_bytes: Sequence[int], load: RegionLoad) -> bool:
        """Whether a region whose stores have these sizes is to be split.

        Call it now and then, for some kinds look at what changed since the last time.
        """

    def cut(self, row: bytes) -> bytes:
        """The row to split at, for a row in the middle; perhaps one that leaves nothing."""
        return self._restrict(row)

    def _outgrew(self, store_bytes: Sequence[int], limit: int) -> bool:
        if self._config.split_overall_files:
            return sum(store_bytes) > limit
        return any(size > limit for size in store_bytes)


class DisabledRegionSplitPolicy(SplitPolicy):
    """Never by itself; by hand it can be."""

    def wants_split(self, store_bytes: Sequence[int], load: RegionLoad) -> bool:
        return False


class ConstantSizeRegionSplitPolicy(SplitPolicy):
    """A store above region_bytes_max."""

    def wants_split(self, store_bytes: Sequence[int], load: RegionLoad) -> bool:
        return self._outgrew(store_bytes, self._limit)


class IncreasingToUpperBoundRegionSplitPolicy(SplitPolicy):
    """The more regions of the table there are at the server, the larger they may be."""

    def wants_split(self, store_bytes: Sequence[int], load: RegionLoad) -> bool:
        return self._outgrew(store_bytes, self.size_to_check(load.table_regions))

    def size_to_check(self, table_regions: int) -> int:
        """Bytes of a store at which a region splits, one of so many of its table."""
        if not 0 < table_regions <= _CUBED_REGIONS_MAX:
            return self._limit
        return min(self._limit, self._first_bytes * table_regions**3)

    @property
    def _first_bytes(self) -> int:
        first = self._config.split_first_bytes
        return first if first > 0 else 2 * self._config.flush_bytes


class SteppingSplitPolicy(IncreasingToUpperBoundRegionSplitPolicy):
    """A table's only region at a server splits early, so that a table spreads; the others
    when they are large."""

    def size_to_check(self, table_regions: int) -> int:
        return self._first_bytes if table_regions == 1 else self._limit


class KeyPrefixRegionSplitPolicy(IncreasingToUpperBoundRegionSplitPolicy):
    """Rows with the same first bytes, as many as the table's attribute says, stay together."""

    def __init__(
        self, config: StoreConfig, attributes: Mapping[str, str], jitter: float = 0.5
    ) -> None:
        super().__init__(config, attributes, jitter)
        self._cut = by_prefix(
            PREFIX_LENGTH, attributes.get(PREFIX_LENGTH, attributes.get(_OLD_PREFIX_LENGTH))
        )

    def cut(self, row: bytes) -> bytes:
        return super().cut(self._cut(row))


class DelimitedKeyPrefixRegionSplitPolicy(IncreasingToUpperBoundRegionSplitPolicy):
    """Rows that are equal up to the first delimiter stay together."""

    def __init__(
        self, config: StoreConfig, attributes: Mapping[str, str], jitter: float = 0.5
    ) -> None:
        super().__init__(config, attributes, jitter)
        self._cut = by_delimiter(DELIMITER, attributes.get(DELIMITER))

    def cut(self, row: bytes) -> bytes:
        return super().cut(self._cut(row))


class BusyRegionSplitPolicy(IncreasingToUpperBoundRegionSplitPolicy):
    """Also a region, open for a while, that pushes too many of its writes back.

    The share is that of the present window, weighted by how much of it is over, and of the
    one before.
    """

    def __init__(
        self, config: StoreConfig, attributes: Mapping[str, str], jitter: float = 0.5
    ) -> None:
        super().__init__(config, attributes, jitter)
        fraction = config.busy_blocked_fraction
        if not 0 < fraction < 1 or config.busy_window_s <= 0:
            raise IllegalArgumentError(
                "BusyRegionSplitPolicy needs a share of blocked requests in (0, 1) and a "
                f"positive window, not {fraction} and {config.busy_window_s} s"
            )
        self._began_ms = -1
        self._window = RegionLoad()
        self._share_before = 0.0

    def wants_split(self, store_bytes: Sequence[int], load: RegionLoad) -> bool:
        share = self._blocked_share(load)
        if super().wants_split(store_bytes, load):
            return True
        old = load.now_ms >= self._began_ms + self._config.busy_age_s * 1000
        return old and share >= self._config.busy_blocked_fraction

    def _blocked_share(self, load: RegionLoad) -> float:
        if self._began_ms < 0:
            self._began_ms = load.now_ms
            self._window = load
        window, window_ms = self._window, self._config.busy_window_s * 1000
        blocked = load.writes_blocked - window.writes_blocked
        share = blocked / max(load.writes - window.writes, 1)
        elapsed_ms = load.now_ms - window.now_ms
        if elapsed_ms >= window_ms:
            self._window, self._share_before = load, share
            return share
        if load.now_ms - self._began_ms < window_ms:
            return 0.0
        part = elapsed_ms / window_ms
        return (1 - part) * self._share_before + part * share


SPLIT_POLICIES: Final[dict[str, type[SplitPolicy]]] = {
    one.__name__: one
    for one in (
        SteppingSplitPolicy,
        ConstantSizeRegionSplitPolicy,
        IncreasingToUpperBoundRegionSplitPolicy,
        KeyPrefixRegionSplitPolicy,
        DelimitedKeyPrefixRegionSplitPolicy,
        BusyRegionSplitPolicy,
        DisabledRegionSplitPolicy,
    )
}


def split_policy(
    config: StoreConfig, attributes: Mapping[str, str], jitter: float = 0.5
) -> SplitPolicy:
    """The policy that the table's settings name.

    Raises IllegalArgumentError for a name that is none of SPLIT_POLICIES.
    """
    kind = SPLIT_POLICIES.get(config.split_policy)
    if kind is None:
        raise IllegalArgumentError(
            f"no split policy is called {config.split_policy!r}; there are "
            f"{', '.join(SPLIT_POLICIES)}"
        )
    return kind(config, attributes, jitter)
