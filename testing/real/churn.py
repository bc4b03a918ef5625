"""Churn: every kind of procedure, set off on purpose, so that a fault can fall inside it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...actors import meta_rows
from ...client.connection import Connection
from ...errors import MergeRegionError, RaybaseError
from ...model import RegionInfo
from ...storage.manifest import region_directory
from ..workload import TABLE

if TYPE_CHECKING:
    from .victims import Victims

_SPLITS: Final = ["4", "8", "c"]
_MERGE_TRIES: Final = 5

Trigger = Callable[[], object]
"""Returns when the procedure has ended, or its master has."""


class Churn:
    """Makes ready for a procedure of a kind, and hands out what sets it off. Blocking."""

    def __init__(self, connection: Connection, victims: Victims) -> None:
        self._admin = connection.admin
        self._connection = connection
        self._victims = victims
        self._numbers = itertools.count(1)
        self._lost: list[RegionInfo] = []

    def trigger(self, kind: str) -> Trigger:
        """Raises KeyError for a kind of procedure that nobody here knows how to set off."""
        return TRIGGERS[kind](self)

    # -- tables of its own -----------------------------------------------------------------

    def _name(self) -> str:
        return f"churn{next(self._numbers)}"

    def _made(self) -> str:
        name = self._name()
        self._admin.create_table(name, ["f"], splits=_SPLITS)
        table = self._connection.table(name)
        for digit in range(16):
            table.put(f"{digit:x}-row", {"f:q": b"value"})
        return name

    def _disabled(self) -> str:
        name = self._made()
        self._admin.disable_table(name)
        return name

    def create(self) -> Trigger:
        name = self._name()
        return lambda: self._admin.create_table(name, ["f"], splits=_SPLITS)

    def disable(self) -> Trigger:
        name = self._made()
        return lambda: self._admin.disable_table(name)

    def enable(self) -> Trigger:
        name = self._disabled()
        return lambda: self._admin.enable_table(name)

    def delete(self) -> Trigger:
        name = self._disabled()
        return lambda: self._admin.delete_table(name)

    def truncate(self) -> Trigger:
        name = self._disabled()
        return lambda: self._admin.truncate_table(name, preserve_splits=True)

    def alter(self) -> Trigger:
        name = self._made()
        return lambda: self._admin.add_family(name, "g")

    # -- namespaces ------------------------------------------------------------------------

    def create_namespace(self) -> Trigger:
        name = self._name()
        return lambda: self._admin.create_namespace(name)

    def modify_namespace(self) -> Trigger:
        name = self._name()
        self._admin.create_namespace(name)
        return lambda: self._admin.alter_namespace(name, {"owner": "chaos"})

    def delete_namespace(self) -> Trigger:
        name = self._name()
        self._admin.create_namespace(name)
        return lambda: self._admin.delete_namespace(name)

    # -- the table that clients use --------------------------------------------------------

    def flush(self) -> Trigger:
        return lambda: self._victims.ask_master("flush_table", TABLE)

    def move(self) -> Trigger:
        region = self._any_region()
        return lambda: self._admin.move(region)

    def split(self) -> Trigger:
        row = b"%x-%x" % (self._chance(16), self._chance(16))
        return lambda: self._admin.split(TABLE, row)

    def merge(self) -> Trigger:
        return self._merge

    def _one_merge(self) -> Trigger:
        regions = self._admin.regions(TABLE)
        if len(regions) < 2:
            return self.split()
        at = self._chance(len(regions) - 1)
        return lambda: self._admin.merge(regions[at].region, regions[at + 1].region)

    def _merge(self) -> None:
        """Regions that refer to what they were merged from have to be compacted first."""
        for _ in range(_MERGE_TRIES):
            try:
                self._one_merge()()
            except MergeRegionError:
                self._clean()
            else:
                return

    def clean_parent(self) -> Trigger:
        self.split()()
        self._admin.compact(TABLE, major=True)
        return lambda: self._victims.ask_master("run_janitor")

    def clean_merge_parents(self) -> Trigger:
        self._merge()
        return lambda: self._victims.ask_master("run_janitor")

    def _clean(self) -> None:
        self._admin.compact(TABLE, major=True)
        self._victims.ask_master("run_janitor")

    def server_crash(self) -> Trigger:
        return lambda: self._victims.kill(self._victims.busiest())

    def adopt_region(self) -> Trigger:
        """hbase:meta loses a region of a table of its own, and a new master reads it so."""
        name = self._made()
        region = self._admin.regions(name)[1].region
        self._lost.append(region)
        self._lose_row(region)
        self._victims.kill(self._victims.cluster.active_master())
        return lambda: self._adopt(region)

    def restore(self) -> None:
        """Gives hbase:meta back what it was made to lose, where the adoption was never asked for
        or failed: a hole in a table is a violation, and this one is of our own making."""
        for region in self._lost:
            if all(one.region != region for one in self._admin.regions(region.table)):
                self._adopt(region)

    def _adopt(self, region: RegionInfo) -> None:
        self._victims.ask_master("mend", "adopt", region_directory(region))

    def _lose_row(self, region: RegionInfo) -> None:
        epoch = self._victims.ask_master("status")["epoch"]
        delete = meta_rows.region_delete(region, time.time_ns() // 1_000_000)
        self._victims.ask(self._victims.meta_holder(), "mutate_meta", epoch, [delete])

    def _any_region(self) -> RegionInfo:
        regions = self._admin.regions(TABLE)
        return regions[self._chance(len(regions))].region

    def _chance(self, below: int) -> int:
        return self._victims.chance.randrange(below)

    # -- at random -------------------------------------------------------------------------

    def anything(self) -> None:
        """Something that operators do. That it fails is the cluster's right."""
        trigger = self._victims.chance.choice(
            (
                self.move,
                self.move,
                self.split,
                self._one_merge,
                self.flush,
                self._compaction,
                self._drain,
            )
        )
        try:
            trigger()()
        except RaybaseError:
            return

    def _drain(self) -> Trigger:
        """Of one server at a time: another is started in its place."""
        drained = self._admin.decommissioned()
        if drained:
            return lambda: self._admin.recommission(drained[0])
        servers = [one.name for one in self._admin.status().servers]
        if not servers:
            return self.flush()
        return lambda: self._admin.decommission(self._victims.chance.choice(servers))

    def _compaction(self) -> Trigger:
        major = self._victims.chance.random() < 0.5
        return lambda: self._admin.compact(TABLE, major=major)


TRIGGERS: Final[dict[str, Callable[[Churn], Trigger]]] = {
    "adopt_region": Churn.adopt_region,
    "alter": Churn.alter,
    "assign": Churn.enable,
    "clean_merge_parents": Churn.clean_merge_parents,
    "clean_parent": Churn.clean_parent,
    "create": Churn.create,
    "create_namespace": Churn.create_namespace,
    "delete": Churn.delete,
    "delete_namespace": Churn.delete_namespace,
    "disable": Churn.disable,
    "enable": Churn.enable,
    "flush": Churn.flush,
    "merge": Churn.merge,
    "modify_namespace": Churn.modify_namespace,
    "move": Churn.move,
    "reopen": Churn.alter,
    "server_crash": Churn.server_crash,
    "split": Churn.split,
    "truncate": Churn.truncate,
    "unassign": Churn.disable,
}
"""By kind of procedure, in its name in the store: what sets one off, or its parent."""
