"""The manifest: a region's numbered record of who owns it and which files it consists of.

Grammar in docs/formats/manifest.md. A version is one file, made with ``put_if_absent`` and
never changed; the highest number is the region. Whoever loses the race for a number has lost
the region, so ownership, the list of files and the flushed ids always change together.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import google_crc32c

from ..errors import CorruptionError, IllegalArgumentError
from ..model import RegionInfo, TableName

MAGIC: Final = b"RBMANIF2"
_HEAD: Final = struct.Struct(">8sI")
_CHECKSUM: Final = struct.Struct(">I")

MANIFESTS: Final = "manifest"
"""Name of the directory of manifests in a region's directory."""
NONCES: Final = "nonces"
"""Name of the directory of files of nonces in a region's directory."""
MASTER_NAMESPACE: Final = "master"
"""Namespace of the master's own tables, which are kept apart from the users'."""


@dataclass(frozen=True, slots=True)
class NonceFileEntry:
    """A file of operations that must not be applied again; expired as a whole.

    ``path`` is relative to the cluster's root: a daughter names its parent's file.
    """

    path: str
    entries: int
    oldest_ms: int
    """The manifest's ``nonce_age_ms`` when the oldest of its operations was applied."""
    newest_ms: int
    """The same of the newest."""


@dataclass(frozen=True, slots=True)
class StoreFileEntry:
    """A file of a store, or the part of one that lies between two cell keys.

    ``path`` is relative to the cluster's root: a daughter names its parent's file, and then
    ``lower`` or ``upper`` is set. Keys ``lower <= key < upper`` belong to the store; an empty
    bound is open.
    """

    family: bytes
    path: str
    size: int
    entries: int
    max_sequence_id: int
    lower: bytes = b""
    upper: bytes = b""
    min_timestamp: int = 0
    max_timestamp: int = 2**63 - 1
    major: bool = False
    """Whether the file is the result of a major compaction."""
    created_ms: int = 0
    """When the file was written; 0 if that is not known."""

    @property
    def is_reference(self) -> bool:
        return bool(self.lower or self.upper)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a region.

    ``owner`` is the server name whose log holds what the files do not; empty for a region
    closed with nothing left in any log.
    """

    version: int
    region: RegionInfo
    owner: str = ""
    master_epoch: int = 0
    open_sequence_id: int = 0
    """Sequence id at which the owner opened the region; clients compare locations by it."""
    max_sequence_id: int = 0
    """The highest sequence id known to have been assigned."""
    flushed: Mapping[bytes, int] = field(default_factory=dict)
    """Family -> sequence id up to which every edit of it is in ``files``."""
    clock_ms: int = 0
    """The region's clock; server timestamps after it are greater."""
    nonce_age_ms: int = 0
    """What the region's nonces age by: the clock without its jumps."""
    nonce_files: tuple[NonceFileEntry, ...] = ()
    files: tuple[StoreFileEntry, ...] = ()

    @property
    def path(self) -> str:
        return manifest_path(self.region, self.version)

    def next(self, **changes: Any) -> Manifest:
        """The version that follows this one, with the fields named changed."""
        return replace(self, version=self.version + 1, **changes)

    @property
    def paths(self) -> tuple[str, ...]:
        """Of every file that it names."""
        stores = [entry.path for entry in self.files]
        return (*stores, *(entry.path for entry in self.nonce_files))

    def files_of(self, family: bytes) -> tuple[StoreFileEntry, ...]:
        return tuple(entry for entry in self.files if entry.family == family)

    def encode(self) -> bytes:
        """The bytes of the file; equal manifests give equal bytes."""
        body = json.dumps(_to_json(self), sort_keys=True, separators=(",", ":")).encode("ascii")
        data = _HEAD.pack(MAGIC, len(body)) + body
        return data + _CHECKSUM.pack(google_crc32c.value(data))

    @classmethod
    def decode(cls, path: str, data: bytes) -> Manifest:
        """The manifest in ``data``, which was read from ``path``.

        Raises CorruptionError if a bit of it changed, or if it is another version's file.
        """
        if len(data) < _HEAD.size + _CHECKSUM.size:
            raise CorruptionError(path, 0, f"a manifest cannot have {len(data)} bytes")
        magic, body_bytes = _HEAD.unpack_from(data)
        if magic != MAGIC:
            raise CorruptionError(path, 0, f"not a manifest: it begins with {magic!r}")
        checksum_at = _HEAD.size + body_bytes
        if len(data) != checksum_at + _CHECKSUM.size:
            raise CorruptionError(
                path, 0, f"manifest of {len(data)} bytes says it has {checksum_at + 4}"
            )
        if _CHECKSUM.unpack_from(data, checksum_at)[0] != google_crc32c.value(data[:checksum_at]):
            raise CorruptionError(path, checksum_at, "the manifest's checksum does not match")
        try:
            manifest = _from_json(json.loads(data[_HEAD.size : checksum_at]))
        except (KeyError, TypeError, ValueError, IllegalArgumentError) as error:
            raise CorruptionError(path, _HEAD.size, f"malformed manifest: {error!r}") from error
        if path.rpartition("/")[2] != _file_name(manifest.version):
            raise CorruptionError(
                path, _HEAD.size, f"this is the manifest of version {manifest.version}"
            )
        return manifest


def region_directory(region: RegionInfo) -> str:
    """Where the region keeps its files, relative to the root."""
    return directory_of(region.table, region.encoded_name)


def directory_of(table: TableName, encoded_name: str) -> str:
    """Where the table's region of this encoded name keeps its files."""
    return f"{namespace_directory(table.namespace)}/{table.qualifier}/{encoded_name}"


def namespace_directory(namespace: str) -> str:
    """Where the namespace's tables are."""
    base = "MasterData/data" if namespace == MASTER_NAMESPACE else "data"
    return f"{base}/{namespace}"


def family_directory(region: RegionInfo, family: bytes) -> str:
    return f"{region_directory(region)}/{family.decode('ascii')}"


def manifest_directory(region: RegionInfo) -> str:
    """The directory of all versions; names sort as versions do."""
    return f"{region_directory(region)}/{MANIFESTS}"


def manifest_path(region: RegionInfo, version: int) -> str:
    return f"{manifest_directory(region)}/{_file_name(version)}"


def _file_name(version: int) -> str:
    return f"{version:020d}"


def _text(data: bytes) -> str:
    """Any bytes as text of as many characters, readable where they are ASCII."""
    return data.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _to_json(manifest: Manifest) -> dict[str, Any]:
    region = manifest.region
    return {
        "version": manifest.version,
        "region": {
            "namespace": region.table.namespace,
            "qualifier": region.table.qualifier,
            "start_key": _text(region.start_key),
            "end_key": _text(region.end_key),
            "region_id": region.region_id,
            "offline": region.offline,
            "split": region.split,
        },
        "owner": manifest.owner,
        "master_epoch": manifest.master_epoch,
        "open_sequence_id": manifest.open_sequence_id,
        "max_sequence_id": manifest.max_sequence_id,
        "flushed": {_text(family): id_ for family, id_ in manifest.flushed.items()},
        "clock_ms": manifest.clock_ms,
        "nonce_age_ms": manifest.nonce_age_ms,
        "nonce_files": [asdict(entry) for entry in manifest.nonce_files],
        "files": [
            {
                "family": _text(entry.family),
                "path": entry.path,
                "size": entry.size,
                "entries": entry.entries,
                "max_sequence_id": entry.max_sequence_id,
                "lower": _text(entry.lower),
                "upper": _text(entry.upper),
                "min_timestamp": entry.min_timestamp,
                "max_timestamp": entry.max_timestamp,
                "major": entry.major,
                "created_ms": entry.created_ms,
            }
            for entry in manifest.files
        ],
    }


def _from_json(body: dict[str, Any]) -> Manifest:
    region = dict(body.pop("region"))
    table = TableName(region.pop("namespace"), region.pop("qualifier"))
    start_key, end_key = _bytes(region.pop("start_key")), _bytes(region.pop("end_key"))
    flushed = {_bytes(family): id_ for family, id_ in body.pop("flushed").items()}
    files = []
    for one in body.pop("files"):
        keys = {name: _bytes(one[name]) for name in ("family", "lower", "upper")}
        files.append(StoreFileEntry(**{**one, **keys}))
    nonce_files = tuple(NonceFileEntry(**one) for one in body.pop("nonce_files"))
    return Manifest(
        region=RegionInfo(table, start_key, end_key, **region),
        flushed=flushed,
        files=tuple(files),
        nonce_files=nonce_files,
        **body,
    )
