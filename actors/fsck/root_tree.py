"""The regions of a root as their directories and manifests tell of them, whatever meta says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...errors import CorruptionError, IllegalArgumentError
from ...model import TableName
from ...runtime import FileSystem
from ...storage.manifest import Manifest
from ..store_io import RECOVERED_EDITS, load_manifest_in

DATA: Final = "data"
_NOT_FAMILIES: Final = ("manifest", RECOVERED_EDITS)


@dataclass(frozen=True, slots=True)
class RegionDirectory:
    """A directory where a region's is expected; ``encoded`` is its name."""

    table: TableName
    encoded: str

    @property
    def path(self) -> str:
        return f"{DATA}/{self.table.namespace}/{self.table.qualifier}/{self.encoded}"


async def region_directories(files: FileSystem) -> list[RegionDirectory]:
    """All of them, by namespace, table and name."""
    found = []
    for namespace in await files.list(DATA):
        for qualifier in await files.list(f"{DATA}/{namespace}"):
            try:
                table = TableName(namespace, qualifier)
            except IllegalArgumentError:
                continue  # No table of ours can be called so.
            names = await files.list(f"{DATA}/{namespace}/{qualifier}")
            found += [RegionDirectory(table, name) for name in names]
    return found


async def manifest_of(files: FileSystem, directory: RegionDirectory) -> Manifest | None:
    """Its newest manifest; None if it has none that can be read, or that of another region."""
    try:
        manifest = await load_manifest_in(files, directory.path)
    except CorruptionError:
        return None
    if manifest is None or manifest.region.encoded_name != directory.encoded:
        return None
    return manifest


async def store_files(files: FileSystem, directory: str) -> list[str]:
    """Paths of the files in a region's family directories."""
    paths: list[str] = []
    for family in await files.list(directory):
        if family not in _NOT_FAMILIES:
            names = await files.list(f"{directory}/{family}")
            paths += [f"{directory}/{family}/{name}" for name in names]
    return paths
