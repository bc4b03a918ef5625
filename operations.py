"""What a client asks of a region: one vocabulary for client, wire and storage.

Column selections map a family to the qualifiers wanted of it, or to None for all of them; an
empty mapping means every family.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from .errors import IllegalArgumentError, IncompatibleFilterError
from .model import (
    ALL_TIME,
    LATEST_TIMESTAMP,
    CellType,
    Durability,
    TimeRange,
    check_family,
    check_row,
)

Columns = Mapping[bytes, tuple[bytes, ...] | None]

Cell = tuple[bytes, bytes, int, int, bytes]
"""(family, qualifier, timestamp, type code, value): a cell of a mutation, whose row is known."""

ALL_VERSIONS: Final = 2**31 - 1
RESULT_BYTES_MAX: Final = 2 * 1024 * 1024
"""What an answer to a scan holds at most if the scan says nothing else."""


class Filter(ABC):
    """Which cells of a read are wanted; immutable. Its kinds are in ``storage.filters``."""

    @property
    @abstractmethod
    def has_filter_row(self) -> bool:
        """Whether it decides over rows only when it has seen them whole."""


@dataclass(frozen=True, slots=True)
class Get:
    """Reads one row. What its fields mean is said at ``Scan``."""

    row: bytes
    columns: Columns = field(default_factory=dict)
    max_versions: int = 1
    time_range: TimeRange = ALL_TIME
    existence_only: bool = False
    filter: Filter | None = None
    family_times: Mapping[bytes, TimeRange] = field(default_factory=dict)
    store_limit: int = 0
    store_offset: int = 0
    load_on_demand: bool = True
    read_uncommitted: bool = False
    cache_blocks: bool = True

    def __post_init__(self) -> None:
        check_row(self.row)
        _check_selection(self)


@dataclass(frozen=True, slots=True)
class Scan:
    """Reads rows in order; empty bounds are open. ``reversed`` begins at ``start_row`` and
    goes down, so its start is the greater row, as in HBase."""

    start_row: bytes = b""
    stop_row: bytes = b""
    include_start: bool = True
    include_stop: bool = False
    columns: Columns = field(default_factory=dict)
    max_versions: int = 1
    time_range: TimeRange = ALL_TIME
    reversed: bool = False
    limit: int = 0
    """Rows at most; 0: no limit."""
    caching: int = 0
    """Rows an answer holds at most; 0: as many as fit ``max_result_bytes``."""
    max_result_bytes: int = RESULT_BYTES_MAX
    filter: Filter | None = None
    family_times: Mapping[bytes, TimeRange] = field(default_factory=dict)
    """Timestamps wanted of single families, instead of ``time_range``."""
    store_limit: int = 0
    """Cells at most of each family of a row; 0: no limit."""
    store_offset: int = 0
    """Cells left out of each family of a row, before the limit counts."""
    batch: int = 0
    """Cells a result holds at most: a longer row comes as several results; 0: no limit."""
    raw: bool = False
    """Whether tombstones, and what they hide, are read as well. What a flush drops while the scan
    is under way, because no other read can see it, may be missing."""
    load_on_demand: bool = True
    """Whether families that the filter does not need are read only of rows that pass it."""
    allow_partial: bool = False
    """Whether a row may come in parts, as the servers cut it."""
    read_uncommitted: bool = False
    """Whether writes are seen before they are durable."""
    need_cursor: bool = False
    """Whether an answer without rows, sent to say that the server is alive, names the row that
    it has come to."""
    cache_blocks: bool = True
    """Whether blocks of files stay in the server's cache: not worth while for a scan of much
    that will not be read again soon."""

    def __post_init__(self) -> None:
        _check_selection(self)
        if min(self.limit, self.caching, self.batch) < 0 or self.max_result_bytes < 1:
            raise IllegalArgumentError(
                "limit, caching, batch and max_result_bytes cannot be negative"
            )
        if self.raw and any(qualifiers is not None for qualifiers in self.columns.values()):
            raise IllegalArgumentError("a raw scan reads whole families, not named columns")
        if self.batch and self.filter is not None and self.filter.has_filter_row:
            raise IncompatibleFilterError(
                f"{type(self.filter).__name__} decides over whole rows, so a scan with it cannot "
                "cut rows by batch"
            )


def _check_selection(asked: Get | Scan) -> None:
    if asked.max_versions < 1:
        raise IllegalArgumentError(f"max_versions must be at least 1: {asked.max_versions}")
    if asked.store_limit < 0 or asked.store_offset < 0:
        raise IllegalArgumentError("store_limit and store_offset cannot be negative")


class MutationKind(StrEnum):
    PUT = "put"
    DELETE = "delete"
    APPEND = "append"
    INCREMENT = "increment"


@dataclass(slots=True)
class Mutation:
    """A change of one row, applied whole or not at all.

    ``cells`` of an increment hold the amount as 8 bytes, big-endian, signed; of an append the
    bytes to add; ``time_range`` bounds what they build on. ``nonce`` makes a retry of these
    two (and of a checked mutation) harmless. With ``ttl_ms`` the cells it makes expire so long
    after their timestamp, if the family's time to live does not end them before; a delete has
    none.
    """

    kind: MutationKind
    row: bytes
    cells: list[Cell] = field(default_factory=list)
    durability: Durability = Durability.USE_DEFAULT
    nonce: int = 0
    return_results: bool = True
    ttl_ms: int | None = None
    time_range: TimeRange = ALL_TIME

    def as_put(self, cells: list[Cell]) -> Mutation:
        """The put of these cells, which this one comes to."""
        return Mutation(
            MutationKind.PUT, self.row, cells, self.durability, self.nonce, ttl_ms=self.ttl_ms
        )


class Put(Mutation):
    """``Put(row).add(family, qualifier, value)``: sets cells."""

    def __init__(
        self,
        row: bytes,
        *,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
    ) -> None:
        check_row(row)
        check_ttl(ttl_ms)
        super().__init__(MutationKind.PUT, row, [], durability, ttl_ms=ttl_ms)

    def add(
        self, family: bytes, qualifier: bytes, value: bytes, timestamp: int = LATEST_TIMESTAMP
    ) -> Put:
        """Without a timestamp the server gives its own. Raises IllegalArgumentError."""
        check_timestamp(timestamp)
        self.cells.append((family, qualifier, timestamp, CellType.PUT.value, value))
        return self


class Delete(Mutation):
    """``Delete(row)`` alone deletes the row; its methods delete parts of it instead."""

    def __init__(
        self,
        row: bytes,
        timestamp: int = LATEST_TIMESTAMP,
        *,
        durability: Durability = Durability.USE_DEFAULT,
    ) -> None:
        check_row(row)
        check_timestamp(timestamp)
        super().__init__(MutationKind.DELETE, row, [], durability)
        self.timestamp = timestamp
        """With no cells: every family's cells up to this time go."""

    def family(self, family: bytes, timestamp: int = LATEST_TIMESTAMP) -> Delete:
        """All cells of the family with timestamps up to this one."""
        return self._add(family, b"", timestamp, CellType.DELETE_FAMILY)

    def family_version(self, family: bytes, timestamp: int) -> Delete:
        """The cells of the family with exactly this timestamp."""
        return self._add(family, b"", timestamp, CellType.DELETE_FAMILY_VERSION)

    def column(self, family: bytes, qualifier: bytes, timestamp: int = LATEST_TIMESTAMP) -> Delete:
        """All versions of the column with timestamps up to this one."""
        return self._add(family, qualifier, timestamp, CellType.DELETE_COLUMN)

    def version(self, family: bytes, qualifier: bytes, timestamp: int = LATEST_TIMESTAMP) -> Delete:
        """One version of the column: that of this timestamp, or else the newest."""
        return self._add(family, qualifier, timestamp, CellType.DELETE)

    def _add(self, family: bytes, qualifier: bytes, timestamp: int, kind: CellType) -> Delete:
        check_timestamp(timestamp)
        check_family(family)
        self.cells.append((family, qualifier, timestamp, kind.value, b""))
        return self


class Append(Mutation):
    """``Append(row).add(family, qualifier, tail)``: adds bytes to the newest value."""

    def __init__(
        self,
        row: bytes,
        *,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
        time_range: TimeRange = ALL_TIME,
    ) -> None:
        check_row(row)
        check_ttl(ttl_ms)
        kind = MutationKind.APPEND
        super().__init__(kind, row, [], durability, ttl_ms=ttl_ms, time_range=time_range)

    def add(self, family: bytes, qualifier: bytes, tail: bytes) -> Append:
        self.cells.append((family, qualifier, LATEST_TIMESTAMP, CellType.PUT.value, tail))
        return self


class Increment(Mutation):
    """``Increment(row).add(family, qualifier, amount)``: adds to 8-byte counters."""

    def __init__(
        self,
        row: bytes,
        *,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
        time_range: TimeRange = ALL_TIME,
    ) -> None:
        check_row(row)
        check_ttl(ttl_ms)
        kind = MutationKind.INCREMENT
        super().__init__(kind, row, [], durability, ttl_ms=ttl_ms, time_range=time_range)

    def add(self, family: bytes, qualifier: bytes, amount: int = 1) -> Increment:
        if not -(2**63) <= amount < 2**63:
            raise IllegalArgumentError(f"amount does not fit 64 bits: {amount}")
        value = amount.to_bytes(8, "big", signed=True)
        self.cells.append((family, qualifier, LATEST_TIMESTAMP, CellType.PUT.value, value))
        return self


class CompareOperator(IntEnum):
    """How the stored value must stand to the given one (HBase's CompareType values).

    As in HBase the *given* value is the left side: LESS holds when given < stored.
    """

    LESS = 0
    LESS_OR_EQUAL = 1
    EQUAL = 2
    NOT_EQUAL = 3
    GREATER_OR_EQUAL = 4
    GREATER = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a row's column for a checked mutation to be applied.

    ``value`` None means "the column has no cell" (with EQUAL) or "has one" (NOT_EQUAL). With
    a ``filter`` the condition is that it leaves a cell of the row; the column and the value
    mean nothing then.
    """

    row: bytes
    family: bytes
    qualifier: bytes
    operator: CompareOperator
    value: bytes | None
    time_range: TimeRange = ALL_TIME
    filter: Filter | None = None


def check_ttl(ttl_ms: int | None) -> None:
    """Raises IllegalArgumentError for a time to live no cell can have."""
    if ttl_ms is not None and not 0 <= ttl_ms < 2**63:
        raise IllegalArgumentError(f"a time to live of {ttl_ms} ms")


def check_timestamp(timestamp: int) -> None:
    """Raises IllegalArgumentError for a timestamp no cell can have."""
    if not 0 <= timestamp <= LATEST_TIMESTAMP:
        raise IllegalArgumentError(f"timestamp {timestamp} is not between 0 and {LATEST_TIMESTAMP}")
