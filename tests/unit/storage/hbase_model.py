"""HBase's rules from first principles, on a list of all cells.

Every answer looks at all cells there are; flushes and compactions drop from the list what
theirs may, so that raw reads can be compared as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from raybase.model import CellType, FamilyDescriptor, KeepDeletedCells
from raybase.operations import Mutation

FAMILY_KINDS = (CellType.DELETE_FAMILY, CellType.DELETE_FAMILY_VERSION)
UP_TO_KINDS = (CellType.DELETE_FAMILY, CellType.DELETE_COLUMN)


@dataclass(frozen=True, slots=True)
class ModelCell:
    row: bytes
    family: bytes
    qualifier: bytes
    timestamp: int
    kind: int
    value: bytes
    sequence_id: int
    ttl_ms: int | None = None
    file: str = ""
    """Path of the file it is in; empty: in memory."""

    @property
    def is_put(self) -> bool:
        return self.kind == CellType.PUT

    @property
    def column(self) -> tuple[bytes, bytes]:
        return self.row, self.qualifier

    def is_over(self, now_ms: int) -> bool:
        """Whether its own time to live is."""
        return self.ttl_ms is not None and self.timestamp + self.ttl_ms < now_ms

    def hides(self, put: ModelCell) -> bool:
        if self.row != put.row or self.is_put:
            return False
        if self.kind not in FAMILY_KINDS and self.qualifier != put.qualifier:
            return False
        if self.kind in UP_TO_KINDS:
            return put.timestamp <= self.timestamp
        return put.timestamp == self.timestamp


Cells = Sequence[ModelCell]


class Model:
    """The cells of a region. Those of NEW_VERSION_BEHAVIOR are remembered for ever, as no flush
    and no compaction may change what they come to."""

    def __init__(self, *families: FamilyDescriptor) -> None:
        self.families = {family.name: family for family in families}
        self.cells: list[ModelCell] = []
        self.written: list[ModelCell] = []

    def write(self, mutation: Mutation, sequence_id: int) -> None:
        for cell in mutation.cells:
            made = ModelCell(mutation.row, *cell, sequence_id, mutation.ttl_ms)
            self.cells.append(made)
            self.written.append(made)

    def flush(self, family: bytes, path: str, read_point: int, now_ms: int) -> None:
        self.merge(family, [""], path, read_point, now_ms, major=False)

    def merge(
        self,
        family: bytes,
        paths: Sequence[str],
        path: str,
        read_point: int,
        now_ms: int,
        *,
        major: bool,
    ) -> None:
        """The cells of these files are in another one, but for what may go; no path: all go."""
        taken = [one for one in self.cells if one.family == family and one.file in paths]
        self.cells = [one for one in self.cells if one not in taken]
        if path:
            settled = [one for one in taken if one.sequence_id <= read_point]
            kept = retained(settled, taken, self.families[family], now_ms, major=major)
            kept |= {one for one in taken if one.sequence_id > read_point}
            self.cells += [replace(one, file=path) for one in kept]

    def answer(
        self,
        rows: Callable[[bytes], bool],
        columns: dict[bytes, tuple[bytes, ...] | None],
        max_versions: int,
        times: range | None,
        now_ms: int,
        *,
        downwards: bool = False,
        raw: bool = False,
    ) -> list[tuple[Any, ...]]:
        found: list[ModelCell] = []
        for name, family in self.families.items():
            if columns and name not in columns:
                continue
            cells = self.written if family.new_version_behavior and not raw else self.cells
            mine = [cell for cell in cells if cell.family == name and rows(cell.row)]
            wanted = columns.get(name)
            if raw:
                chosen = raw_cells(mine, max_versions, now_ms, times)
            else:
                chosen = visible(mine, family, max_versions, now_ms, times)
            found += [cell for cell in chosen if wanted is None or cell.qualifier in wanted]
        found.sort(key=_place)
        if downwards:
            found.sort(key=lambda cell: cell.row, reverse=True)
        return [
            (cell.row, cell.family, cell.qualifier, cell.timestamp, cell.kind, cell.value)
            for cell in found
        ]


def visible(
    cells: Cells,
    family: FamilyDescriptor,
    max_versions: int,
    now_ms: int,
    times: range | None = None,
) -> list[ModelCell]:
    """Which of one family's cells are seen when these are all there are."""
    tombstones = [one for one in cells if not one.is_put]
    if times is not None and family.keep_deleted_cells is not KeepDeletedCells.FALSE:
        tombstones = [one for one in tombstones if one.timestamp < times.stop]
    puts = [one for one in cells if one.is_put]
    if family.new_version_behavior:
        left = played([*puts, *tombstones], family.max_versions)
        left = [one for one in left if not one.is_over(now_ms)]
    else:
        alive = [one for one in puts if not one.is_over(now_ms)]
        left = newest(one for one in alive if not any(two.hides(one) for two in tombstones))
    asked = [one for one in left if times is None or one.timestamp in times]
    limit = min(max_versions, family.max_versions)
    return [
        one
        for one, number in numbered(asked)
        if number <= limit and stays(one, number, family, now_ms)
    ]


def newest(puts: Iterable[ModelCell]) -> list[ModelCell]:
    """The latest write of every timestamp of every column."""
    found: dict[tuple[Any, ...], ModelCell] = {}
    for put in sorted(puts, key=lambda one: one.sequence_id):
        found[put.column, put.timestamp] = put
    return list(found.values())


def numbered(puts: Iterable[ModelCell]) -> list[tuple[ModelCell, int]]:
    """With the number of each among its column's versions, 1 for the newest."""
    columns: dict[tuple[bytes, bytes], list[ModelCell]] = {}
    for put in sorted(puts, key=_place):
        columns.setdefault(put.column, []).append(put)
    return [(put, n) for found in columns.values() for n, put in enumerate(found, 1)]


def stays(cell: ModelCell, number: int, family: FamilyDescriptor, now_ms: int) -> bool:
    """By the family's time to live and MIN_VERSIONS."""
    return cell.timestamp >= _oldest(family, now_ms) or number <= family.min_versions


def played(cells: Cells, max_versions: int) -> list[ModelCell]:
    """NEW_VERSION_BEHAVIOR: what is left after one write upon the other."""
    live: dict[tuple[tuple[bytes, bytes], int], ModelCell] = {}
    for cell in sorted(cells, key=lambda one: (one.sequence_id, not one.is_put)):
        if not cell.is_put:
            for key, put in list(live.items()):
                if cell.hides(put):
                    del live[key]
            continue
        live[cell.column, cell.timestamp] = cell
        versions = sorted(timestamp for column, timestamp in live if column == cell.column)
        if len(versions) > max_versions:
            del live[cell.column, versions[0]]
    return list(live.values())


def raw_cells(cells: Cells, max_versions: int, now_ms: int, times: range | None) -> list[ModelCell]:
    """Tombstones, too, up to the first put too many of each column."""
    found: list[ModelCell] = []
    last: ModelCell | None = None
    puts = 0
    for cell in sorted(cells, key=_place):
        if cell.is_over(now_ms) or (times is not None and cell.timestamp not in times):
            continue
        if last is None or last.column != cell.column:
            puts = 0
        elif (last.timestamp, last.kind) == (cell.timestamp, cell.kind):
            continue
        puts += cell.is_put
        last = cell
        if puts <= max_versions:
            found.append(cell)
    return found


def retained(
    settled: Cells, taken: Cells, family: FamilyDescriptor, now_ms: int, *, major: bool
) -> set[ModelCell]:
    """What a flush or a compaction leaves of the cells that no open scanner protects."""
    past = _oldest(family, now_ms) if not family.min_versions else 0
    keeps = family.keep_deleted_cells
    fresh = [one for one in settled if one.timestamp >= past]
    if family.new_version_behavior:
        if major and keeps is KeepDeletedCells.FALSE:
            return {one for one in played(settled, family.max_versions) if one.timestamp >= past}
        return set(fresh)
    alive = [one for one in fresh if not one.is_over(now_ms)]
    if major and keeps is not KeepDeletedCells.FALSE:
        return _kept_by_major(alive, taken, family, now_ms)
    if major:
        return set(visible(settled, family, family.max_versions, now_ms))
    hiding = settled if keeps is KeepDeletedCells.FALSE else ()
    standing = {
        (one.column, one.timestamp): one.sequence_id
        for one in sorted(alive, key=lambda one: one.sequence_id)
        if one.is_put and one.ttl_ms is None
    }
    return {
        one
        for one in alive
        if not one.is_put
        or not (
            any(two.hides(one) for two in hiding)
            or standing.get((one.column, one.timestamp), 0) > one.sequence_id
        )
    }


def _kept_by_major(
    alive: Cells, taken: Cells, family: FamilyDescriptor, now_ms: int
) -> set[ModelCell]:
    """Of a family that keeps deleted cells: tombstones hide nothing while they are kept."""
    all_kept = family.keep_deleted_cells is KeepDeletedCells.TRUE
    oldest = 0 if all_kept else _oldest(family, now_ms)
    gone = [one for one in alive if not one.is_put and one.timestamp < oldest]
    left = newest(one for one in alive if one.is_put and not any(two.hides(one) for two in gone))
    versions = numbered(left)
    kept = {
        one
        for one, number in versions
        if number <= family.max_versions and stays(one, number, family, now_ms)
    }
    earliest = min((one.timestamp for one in taken if one.is_put), default=2**63)
    for one in alive:
        if one.is_put or one in gone or one.timestamp < earliest:
            continue
        above = [n for put, n in versions if put.column == one.column and _place(put) < _place(one)]
        number = max(above, default=0)
        within = number <= family.max_versions and stays(one, number, family, now_ms)
        if one.kind in FAMILY_KINDS or within:
            kept.add(one)
    return kept


def _place(cell: ModelCell) -> tuple[Any, ...]:
    """Cells in the order of their keys."""
    head = (cell.row, cell.family, cell.qualifier)
    return (*head, -cell.timestamp, -cell.kind, -cell.sequence_id)


def _oldest(family: FamilyDescriptor, now_ms: int) -> int:
    """The least timestamp that is not expired."""
    return max(now_ms - family.ttl_s * 1000, 0) if family.ttl_s else 0
