"""Janitor: removes what nothing can need any more; in doubt it stays."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import FatalError, RaybaseError, SessionExpiredError
from ..model import META_TABLE, RegionInfo, ServerName, TableName
from .archiver import RECOVERED_EDITS, archive_file
from .assignment import TransitionState
from .holders import Holder, OpenScanners, Recoveries, References
from .key_space import is_covered
from .log_writer import OLD_WALS
from .procedures.clean_parent import CleanParentProcedure
from .procedures.environment import MasterEnvironment
from .procedures.merge import CleanMergeParentsProcedure
from .store_io import ARCHIVE, load_manifest_in

log = logging.getLogger(__name__)

_DATA: Final = "data"
_NOT_FAMILIES: Final = ("manifest", RECOVERED_EDITS)
_META: Final = (META_TABLE.namespace, META_TABLE.qualifier)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What one run did."""

    parents: int = 0
    strays: int = 0
    archived: int = 0
    logs: int = 0


class Janitor:
    """Cleans up after splits, crashes and deletions.

    - A split parent, or what a region was merged from, goes when no manifest names a file of
      it (a procedure does that).
    - A store file that no manifest of a region in hbase:meta names goes to the archive when
      two runs in a row found it so and the region's owner, if it has one, says that it is not
      at work on it: an owner that stood still may name it yet, however old it is. What looks
      like a region that hbase:meta has lost stays.
    - A file of the archive, or an old log, goes when it has been there for its time to live
      and no holder may need it (holders.py).

    Any error keeps what it was about. Source: CatalogJanitor.java, HFileCleaner.java,
    LogCleaner.java.
    """

    def __init__(self, environment: MasterEnvironment) -> None:
        self._environment = environment
        self._files = environment.runtime.files
        runtime, servers = environment.runtime, environment.servers
        self._references = References(runtime, environment.assignment)
        self._holders: list[Holder] = [
            self._references,
            OpenScanners(runtime, servers),
            Recoveries(servers),
        ]
        self._seen_s: dict[str, float] = {}
        self._strays: list[str] = []

    def add_holder(self, holder: Holder) -> None:
        """From now on, what ``holder`` may need stays."""
        self._holders.append(holder)

    async def run(self) -> Cleaned:
        """One round. Raises nothing but what ends the master."""
        parents = await self._clean_parents()
        unsure = [one for one in self._holders if not await self._can_say(one)]
        strays = 0 if self._references in unsure else await self._archive_strays()
        config = self._environment.config.master
        kept = [one.area for one in unsure]
        archived = await self._clean(
            ARCHIVE, await self._archived_files(), config.archive_ttl_s, kept
        )
        logs = await self._clean(OLD_WALS, await self._old_logs(), config.old_wal_ttl_s, kept)
        return Cleaned(parents, strays, archived, logs)

    async def _can_say(self, holder: Holder) -> bool:
        """Whether the holder knows what it holds; if not, nothing of its area goes."""
        try:
            await holder.look()
        except (RaybaseError, OSError) as error:
            log.warning("nothing below %s goes: %s: %r", holder.area, holder.name, error)
            return False
        return True

    # -- split parents ---------------------------------------------------------------------

    async def _clean_parents(self) -> int:
        environment = self._environment
        busy = self.busy_tables()
        parents = [
            node.info
            for node in environment.assignment.regions()
            if node.state == TransitionState.SPLIT and node.info.table not in busy
        ]
        for info in parents:
            await environment.executor.submit(CleanParentProcedure(region=info))
        merged = [
            node.info
            for node in environment.assignment.regions()
            if node.merge_parents and node.info.table not in busy
        ]
        for info in merged:
            await environment.executor.submit(CleanMergeParentsProcedure(region=info))
        return len(parents) + len(merged)

    def busy_tables(self) -> list[TableName]:
        """Tables whose regions are being changed: their files are looked at another time."""
        busy = []
        for procedure in self._environment.executor.unfinished():
            regions = [getattr(procedure, "region", None), *getattr(procedure, "regions", ())]
            busy += [one.table for one in regions if isinstance(one, RegionInfo)]
            table = getattr(procedure, "table", None)
            if table is not None:
                busy.append(table)
        return busy

    # -- what nobody knows -----------------------------------------------------------------

    async def _archive_strays(self) -> int:
        """Archives what this run and the one before it found unknown."""
        if self._environment.servers.recovering():
            self._strays = []
            return 0
        found = await self._find_strays()
        known = dict.fromkeys(self._strays)
        archived = 0
        for directory, paths in _by_region(path for path in found if path in known).items():
            for path in await self._given_up(directory, paths):
                log.info("archiving %s, which belongs to no region", path)
                await archive_file(self._files, path)
                archived += 1
        self._strays = found
        return archived

    async def _given_up(self, directory: str, paths: list[str]) -> list[str]:
        """Those of a region's strays that no manifest will ever name.

        Who owns the region can tell, or nobody owns it. A dead owner may wake and commit one
        manifest more until somebody else has put the next: its files stay until then.
        """
        try:
            manifest = await load_manifest_in(self._files, directory)
            if manifest is None:
                return paths
            if not manifest.owner:
                named = dict.fromkeys(manifest.paths)
                return [path for path in paths if path not in named]
            owner = ServerName.parse(manifest.owner)
            encoded = manifest.region.encoded_name
            servers = self._environment.servers
            given_up: list[str] = await servers.call(owner, "unneeded_files", encoded, paths)
        except (FatalError, SessionExpiredError):
            raise
        except (RaybaseError, OSError) as error:
            log.info("files of %s stay: %s", directory, error)
            return []
        return given_up

    async def _find_strays(self) -> list[str]:
        files = self._files
        busy = [f"{_DATA}/{one.namespace}/{one.qualifier}/" for one in self.busy_tables()]
        found: list[str] = []
        for namespace in await files.list(_DATA):
            for table in await files.list(f"{_DATA}/{namespace}"):
                base = f"{_DATA}/{namespace}/{table}"
                if f"{base}/" in busy or (namespace, table) == _META:
                    continue
                for region in await files.list(base):
                    if await self._may_be_lost(f"{base}/{region}", region):
                        continue
                    paths = await self._store_files(f"{base}/{region}")
                    found += [one for one in paths if not self._references.names(one)]
        return found

    async def _may_be_lost(self, directory: str, encoded: str) -> bool:
        """Whether hbase:meta should know the region and does not: it has a manifest, and rows
        that no other region holds. `raybase fsck` tells of it; its files are not garbage."""
        assignment = self._environment.assignment
        if assignment.region(encoded) is not None:
            return False
        try:
            manifest = await load_manifest_in(self._files, directory)
        except (RaybaseError, OSError) as error:
            log.warning("%s stays: %s", directory, error)
            return True
        if manifest is None:
            return False
        nodes = assignment.regions_of(manifest.region.table)
        others = [one.info for one in nodes if one.state != TransitionState.SPLIT]
        return not is_covered(manifest.region, others)

    async def _store_files(self, region: str) -> list[str]:
        paths: list[str] = []
        for family in await self._files.list(region):
            if family not in _NOT_FAMILIES:
                names = await self._files.list(f"{region}/{family}")
                paths += [f"{region}/{family}/{name}" for name in names]
        return paths

    # -- archive and old logs --------------------------------------------------------------

    async def _archived_files(self) -> list[str]:
        found: list[str] = []
        for namespace in await self._files.list(f"{ARCHIVE}/{_DATA}"):
            for table in await self._files.list(f"{ARCHIVE}/{_DATA}/{namespace}"):
                base = f"{ARCHIVE}/{_DATA}/{namespace}/{table}"
                for region in await self._files.list(base):
                    found += await self._store_files(f"{base}/{region}")
        return found

    async def _old_logs(self) -> list[str]:
        found: list[str] = []
        for server in await self._files.list(OLD_WALS):
            names = await self._files.list(f"{OLD_WALS}/{server}")
            found += [f"{OLD_WALS}/{server}/{name}" for name in names]
        return found

    async def _clean(
        self, area: str, paths: Sequence[str], ttl_s: float, kept: Collection[str]
    ) -> int:
        """Removes what has been there long enough and nobody holds; nothing of a kept area."""
        now_s = self._environment.runtime.clock.monotonic_s()
        present = dict.fromkeys(paths)
        gone = [one for one in self._seen_s if one.startswith(f"{area}/") and one not in present]
        for path in gone:
            del self._seen_s[path]
        removed = 0
        for path in paths:
            if now_s - self._seen_s.setdefault(path, now_s) < ttl_s or area in kept:
                continue
            if not any(one.area == area and one.holds(path) for one in self._holders):
                await self._files.remove(path)
                del self._seen_s[path]
                removed += 1
        return removed


def _by_region(paths: Iterable[str]) -> dict[str, list[str]]:
    """Directory of a region -> those of its store files."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rsplit("/", 2)[0], []).append(path)
    return found
