"""Names and shapes that every layer shares.

Keys are ``bytes``. A key range is half-open, ``[start, stop)``, and an empty stop means
"to the end". Timestamps are milliseconds since 1970 as in HBase.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any, Final

from .errors import IllegalArgumentError

ROW_BYTES_MAX: Final = 32767
FAMILY_BYTES_MAX: Final = 127
LATEST_TIMESTAMP: Final = 2**63 - 1
"""As a cell's timestamp: "the server's now"."""


class CellType(IntEnum):
    """What a cell does. Values are HBase's and stand in every file: never change one."""

    MINIMUM = 0
    PUT = 4
    DELETE = 8
    DELETE_FAMILY_VERSION = 10
    DELETE_COLUMN = 12
    DELETE_FAMILY = 14
    MAXIMUM = 255


class KeepDeletedCells(StrEnum):
    """What becomes of deleted cells (HBase's option and names)."""

    FALSE = "FALSE"
    """They are gone: no read sees them, and a major compaction drops them."""
    TRUE = "TRUE"
    """They stay, with their tombstones, until versions or time to live drop them."""
    TTL = "TTL"
    """They stay until the tombstone's time to live is over."""


class BloomType(StrEnum):
    """What a file's filter can tell (HBase's BLOOMFILTER)."""

    NONE = "NONE"
    ROW = "ROW"
    ROWCOL = "ROWCOL"
    ROWPREFIX_FIXED_LENGTH = "ROWPREFIX_FIXED_LENGTH"


class FileFormat(StrEnum):
    """What a family's files look like inside (``raybase.file.format`` of its configuration)."""

    COLUMNAR = "columnar"
    """Ours: blocks of columns, each compressed by itself, and a roaring row filter."""
    HBASE = "hbase"
    """What HBase itself reads: KeyValue blocks, its codecs and its bloom filters."""


CODECS: Final = ("NONE", "GZ", "SNAPPY", "LZ4", "ZSTD")
"""What COMPRESSION may be; it holds for files of HBase's format."""


class Durability(IntEnum):
    """How far a mutation has got when it is acknowledged (HBase's enum and values)."""

    USE_DEFAULT = 0
    SKIP_WAL = 1
    ASYNC_WAL = 2
    SYNC_WAL = 3
    FSYNC_WAL = 4


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Timestamps ``start <= ts < stop``."""

    start: int = 0
    stop: int = LATEST_TIMESTAMP

    def __post_init__(self) -> None:
        if self.start < 0 or self.stop < self.start:
            raise IllegalArgumentError(
                f"a time range needs 0 <= start <= stop, not [{self.start}, {self.stop})"
            )

    @property
    def is_all(self) -> bool:
        return self.start == 0 and self.stop >= LATEST_TIMESTAMP

    def __contains__(self, timestamp: int) -> bool:
        return self.start <= timestamp < self.stop


ALL_TIME: Final = TimeRange()

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAMESPACE = re.compile(r"[A-Za-z0-9_]+")
_NAME_LENGTH_MAX: Final = 200
"""A name becomes a directory, whose limit is 255 bytes on every file system we know."""


DEFAULT_NAMESPACE: Final = "default"
SYSTEM_NAMESPACE: Final = "hbase"


def check_namespace(name: str) -> None:
    """Raises IllegalArgumentError unless ``name`` can name a namespace."""
    _check_name("namespace", _NAMESPACE, name)


def _check_name(what: str, pattern: re.Pattern[str], text: str) -> None:
    if not pattern.fullmatch(text):
        raise IllegalArgumentError(
            f"illegal {what} {text!r}: use letters, digits, '_', and in table names "
            "'-' and '.', beginning with none of these two"
        )
    if len(text) > _NAME_LENGTH_MAX:
        raise IllegalArgumentError(
            f"{what} of {len(text)} characters; the limit is {_NAME_LENGTH_MAX}"
        )


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """``namespace:qualifier``; the namespace ``default`` is left out in text.

    Raises IllegalArgumentError for anything but HBase's alphabet, so that a table name is
    always safe as a directory name.
    """

    namespace: str
    qualifier: str

    def __post_init__(self) -> None:
        check_namespace(self.namespace)
        _check_name("table name", _NAME, self.qualifier)

    @classmethod
    def parse(cls, text: str | bytes | TableName) -> TableName:
        """The name written as ``qualifier`` or ``namespace:qualifier``."""
        if isinstance(text, TableName):
            return text
        if isinstance(text, bytes):
            try:
                text = text.decode("ascii")
            except UnicodeDecodeError:
                raise IllegalArgumentError(f"illegal table name {text!r}") from None
        namespace, colon, qualifier = text.partition(":")
        return cls(namespace, qualifier) if colon else cls(DEFAULT_NAMESPACE, text)

    def __str__(self) -> str:
        if self.namespace == DEFAULT_NAMESPACE:
            return self.qualifier
        return f"{self.namespace}:{self.qualifier}"

    @property
    def is_system(self) -> bool:
        return self.namespace == SYSTEM_NAMESPACE


META_TABLE: Final = TableName(SYSTEM_NAMESPACE, "meta")


@dataclass(frozen=True, slots=True)
class NamespaceDescriptor:
    """A namespace, in which tables are, and what is set for it. Source: NamespaceDescriptor.java.

    Raises IllegalArgumentError for a name that no namespace can have.
    """

    name: str
    configuration: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_namespace(self.name)


@dataclass(frozen=True, slots=True, order=True)
class ServerName:
    """One life of a process: a restart on the same port has another start code."""

    host: str
    port: int
    start_code: int

    @classmethod
    def parse(cls, text: str) -> ServerName:
        try:
            host, port, start_code = text.rsplit(",", 2)
            return cls(host, int(port), int(start_code))
        except ValueError:
            raise IllegalArgumentError(f"not host,port,startcode: {text!r}") from None

    def __str__(self) -> str:
        return f"{self.host},{self.port},{self.start_code}"

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """A range of a table's rows, and the identity of the region that holds it.

    ``region_id`` is the time of creation in ms; daughters get a larger one than their parent.
    Source: RegionInfo.java (names and encoded names are HBase's).
    """

    table: TableName
    start_key: bytes = b""
    end_key: bytes = b""
    region_id: int = 0
    offline: bool = False
    split: bool = False

    @property
    def name(self) -> bytes:
        """``table,startkey,id.md5.``; hbase:meta's is ``hbase:meta,,1`` alone."""
        base = self._base()
        if self.table == META_TABLE:
            return base
        return base + b"." + self.encoded_name.encode() + b"."

    @property
    def encoded_name(self) -> str:
        """The region's directory: 32 hex digits, or 1588230740 for hbase:meta."""
        if self.table == META_TABLE:
            return META_ENCODED_NAME
        return hashlib.md5(self._base(), usedforsecurity=False).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        # A dataclass with slots is pickled field by field in Python; a server's report has
        # very many of these.
        fields = (self.table, self.start_key, self.end_key, self.region_id)
        return RegionInfo, (*fields, self.offline, self.split)

    def _base(self) -> bytes:
        return b"%b,%b,%d" % (str(self.table).encode(), self.start_key, self.region_id)

    def contains(self, row: bytes) -> bool:
        return self.start_key <= row and (not self.end_key or row < self.end_key)

    def with_flags(self, *, offline: bool, split: bool) -> RegionInfo:
        return replace(self, offline=offline, split=split)

    def __str__(self) -> str:
        return self.name.decode("utf-8", "backslashreplace")


META_ENCODED_NAME: Final = "1588230740"
META_REGION: Final = RegionInfo(META_TABLE, region_id=1)


def check_row(row: bytes) -> None:
    """Raises IllegalArgumentError unless ``row`` can be a row key."""
    if not isinstance(row, bytes):
        raise IllegalArgumentError(f"a row is bytes, not {type(row).__name__}")
    if not row:
        raise IllegalArgumentError("a row key must not be empty")
    if len(row) > ROW_BYTES_MAX:
        raise IllegalArgumentError(f"row of {len(row)} bytes; the limit is {ROW_BYTES_MAX}")


def check_family(family: bytes) -> None:
    """Raises IllegalArgumentError unless ``family`` can name a column family (HBase's rule)."""
    if not family:
        raise IllegalArgumentError("a family name must not be empty")
    if len(family) > FAMILY_BYTES_MAX:
        raise IllegalArgumentError(
            f"family name of {len(family)} bytes; the limit is {FAMILY_BYTES_MAX}"
        )
    if family[:1] == b"." or any(b < 0x20 or b >= 0x7F or b in b":/\\" for b in family):
        raise IllegalArgumentError(
            f"illegal family name {family!r}: printable, without ':', '/' and '\\', "
            "not beginning with '.'"
        )
    if family == b"recovered.edits":
        raise IllegalArgumentError("'recovered.edits' is a reserved name")


@dataclass(frozen=True, slots=True)
class FamilyDescriptor:
    """A column family and its options; names in ``attributes`` are HBase's."""

    name: bytes
    max_versions: int = 1
    min_versions: int = 0
    ttl_s: int = 0
    """Seconds a cell lives; 0 means for ever."""
    block_bytes: int = 65536
    bloom: BloomType = BloomType.ROW
    """BLOOMFILTER: what files' filters hold. Ours hold rows for every kind but NONE."""
    bloom_prefix_bytes: int = 0
    """RowPrefixBloomFilter.prefix_length: what of a row ROWPREFIX_FIXED_LENGTH looks at."""
    keep_deleted_cells: KeepDeletedCells = KeepDeletedCells.FALSE
    new_version_behavior: bool = False
    """NEW_VERSION_BEHAVIOR: a tombstone hides only what was written before it."""
    in_memory: bool = False
    """IN_MEMORY: its blocks are the last to leave the cache."""
    cache_blocks: bool = True
    """BLOCKCACHE: whether reads leave its data blocks in the cache."""
    file_format: FileFormat = FileFormat.COLUMNAR
    compression: str = "NONE"
    """COMPRESSION, one of CODECS."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Further attributes of HBase's, kept as they are."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Settings by HBase's keys that hold for this family's stores."""

    def __post_init__(self) -> None:
        check_family(self.name)
        if self.max_versions < 1:
            raise IllegalArgumentError(f"VERSIONS must be at least 1, not {self.max_versions}")
        if not 0 <= self.min_versions <= self.max_versions:
            raise IllegalArgumentError("MIN_VERSIONS must be between 0 and VERSIONS")
        if self.ttl_s < 0:
            raise IllegalArgumentError(f"TTL must not be negative: {self.ttl_s}")
        if self.block_bytes < 256:
            raise IllegalArgumentError(f"BLOCKSIZE must be at least 256: {self.block_bytes}")
        if self.compression not in CODECS:
            raise IllegalArgumentError(
                f"COMPRESSION is one of {', '.join(CODECS)}, not {self.compression!r}"
            )
        with_prefix = self.bloom is BloomType.ROWPREFIX_FIXED_LENGTH
        if with_prefix != (self.bloom_prefix_bytes > 0):
            raise IllegalArgumentError(
                "BLOOMFILTER ROWPREFIX_FIXED_LENGTH, and no other, needs a positive "
                f"RowPrefixBloomFilter.prefix_length, not {self.bloom_prefix_bytes}"
            )


@dataclass(frozen=True, slots=True)
class TableDescriptor:
    """A table, its families in name order, and its options."""

    name: TableName
    families: tuple[FamilyDescriptor, ...]
    durability: Durability = Durability.USE_DEFAULT
    region_bytes_max: int = 0
    """MAX_FILESIZE: size of a store at which a region splits; 0: the server's setting."""
    flush_bytes: int = 0
    """MEMSTORE_FLUSHSIZE; 0: the server's setting."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Further attributes of HBase's, kept as they are."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Settings by HBase's keys that hold for this table's regions."""

    def __post_init__(self) -> None:
        names = [family.name for family in self.families]
        if not names:
            raise IllegalArgumentError(f"table {self.name} needs at least one column family")
        if names != sorted(set(names)):
            object.__setattr__(
                self, "families", tuple(sorted(self.families, key=lambda one: one.name))
            )
            if len(set(names)) != len(names):
                raise IllegalArgumentError(f"table {self.name} names a column family twice")

    def family(self, name: bytes) -> FamilyDescriptor | None:
        for one in self.families:
            if one.name == name:
                return one
        return None


@dataclass(frozen=True, slots=True)
class CallContext:
    """On whose behalf a call runs, and until when; it goes from connection to region."""

    user: str = ""
    deadline_s: float | None = None
    """On the runtime's monotonic clock; work on an expired call is dropped."""
    priority: int = 0
    attributes: Mapping[str, bytes] = field(default_factory=dict)
