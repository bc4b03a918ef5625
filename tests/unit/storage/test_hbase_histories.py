"""Short lives of a region, with what a real HBase answered: ours answers the same.

Format in tests/fixtures/hbase/README.md. ``meant`` has the differences that stay.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from raybase.model import (
    LATEST_TIMESTAMP,
    CellType,
    FamilyDescriptor,
    KeepDeletedCells,
    TimeRange,
)
from raybase.operations import ALL_VERSIONS, Delete, Mutation, Put, Scan
from raybase.storage import compaction, flush
from raybase.storage.key import END, TAIL_BYTES, split_key
from raybase.storage.retention import Retention
from raybase.storage.tags import is_expired
from raybase.storage.window import Window

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hbase"
OPERATION = re.compile(
    r"(?P<what>\w+)( (?P<row>[ab])(?P<column>\d?)(@(?P<at>\d+))?( ttl (?P<ttl>\d+))?)?"
)
CELL = re.compile(r"([ab])(\d?)@(\d+)([PDCFV])(\d*)")
KINDS = {
    CellType.PUT: "P",
    CellType.DELETE: "D",
    CellType.DELETE_COLUMN: "C",
    CellType.DELETE_FAMILY: "F",
    CellType.DELETE_FAMILY_VERSION: "V",
}
TIMES = TimeRange(1000, 3000)
READINGS = {
    "newest": Scan(),
    "two": Scan(max_versions=2),
    "all": Scan(max_versions=ALL_VERSIONS),
    "reversed": Scan(max_versions=ALL_VERSIONS, reversed=True),
    "times": Scan(max_versions=ALL_VERSIONS, time_range=TIMES),
    "newest_of_times": Scan(time_range=TIMES),
    "column": Scan(columns={b"f": (b"1",)}, max_versions=ALL_VERSIONS),
    "columns": Scan(columns={b"f": (b"0", b"1")}),
    "raw": Scan(max_versions=ALL_VERSIONS, raw=True),
    "raw_newest": Scan(raw=True),
    "raw_times": Scan(max_versions=ALL_VERSIONS, time_range=TIMES, raw=True),
}
FIRST_MS = 3501


def mutation_of(text: str, number: int) -> Mutation | None:
    """None: a flush."""
    found = OPERATION.fullmatch(text)
    assert found is not None, text
    what, row, column = found["what"], (found["row"] or "").encode(), (found["column"] or "")
    at = LATEST_TIMESTAMP if found["at"] is None else int(found["at"])
    if what == "flush":
        return None
    if what == "put":
        ttl_ms = None if found["ttl"] is None else int(found["ttl"])
        put = Put(row, ttl_ms=ttl_ms)
        return put.add(b"f", column.encode(), b"%d" % number, at)
    delete = Delete(row)
    return {
        "delete": lambda: delete.version(b"f", column.encode(), at),
        "deletecolumn": lambda: delete.column(b"f", column.encode(), at),
        "deletefamily": lambda: delete.family(b"f", at),
        "deletefamilyversion": lambda: delete.family_version(b"f", at),
    }[what]()


def texts(cells: Any) -> str:
    return " ".join(
        f"{row.decode()}{qualifier.decode()}@{timestamp}{KINDS[kind]}{value.decode()}"
        for row, _, qualifier, timestamp, kind, value in cells
    )


class Life:
    """One history, lived again."""

    def __init__(
        self, make_engine: Any, history: dict[str, Any], *, in_memory: bool = False
    ) -> None:
        options = history["options"]
        keep = KeepDeletedCells[options["keep_deleted_cells"]]
        family = FamilyDescriptor(
            b"f",
            max_versions=options["versions"],
            min_versions=options["min_versions"],
            ttl_s=options["ttl_s"],
            keep_deleted_cells=keep,
            new_version_behavior=options["new_version_behavior"],
        )
        self.engine = make_engine(family)
        self.history = history
        self.in_memory = in_memory
        """Whether nothing is flushed or compacted."""
        self.number = 0

    def apply(self, operations: list[str]) -> None:
        for text in operations:
            mutation = mutation_of(text, self.number)
            self.engine.now_ms = FIRST_MS + self.number
            if mutation is None:
                self.flush()
            else:
                self.engine.write(mutation)
            self.number += 1

    def flush(self) -> None:
        if not self.in_memory:
            self.engine.flush()

    def minor(self) -> None:
        if not self.in_memory:
            self.engine.compact_oldest(b"f", 2)

    def major(self) -> None:
        done = None
        while not self.in_memory and (done is None or done.is_expired):
            # Files of which every cell expired go first, by themselves.
            done = self.engine.compact(b"f", major=True)
            if done is None:
                break

    def states(self) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
        """(state, HBase's answers, ours)."""
        known: dict[str, str] = {}
        for answer in self.history["answers"]:
            state = answer["state"]
            if state == "memory":
                self.apply(self.history["operations"])
            elif state in ("flushed", "minor", "major"):
                self.engine.now_ms = answer["now"]
                getattr(self, {"flushed": "flush"}.get(state, state))()
            elif state == "late":
                major_ms = self.engine.now_ms
                for text in self.history["late_operations"]:
                    self.engine.now_ms = major_ms = major_ms + 1
                    mutation = mutation_of(text, self.number)
                    assert mutation is not None
                    self.engine.write(mutation)
                    self.number += 1
            self.engine.now_ms = answer["now"]
            known = {**known, **answer["scans"]}
            yield (
                state,
                known,
                {name: texts(self.engine.scan(scan)) for name, scan in READINGS.items()},
            )


class LossyRetention(Retention):
    """Flushes and minor compactions as HBase's: surplus versions go, and with them all that is
    below them in their column; a cell that will expire by itself stands for its timestamp."""

    def _keep(self, window: Window) -> list[bool] | None:
        if self._major:
            return super()._keep(window)
        if self._plays:
            return [
                not is_expired(value, split_key(key)[2], self._now_ms)
                for key, value in zip(window.keys, window.values, strict=True)
            ]
        return list(map(self._keep_cell, window.keys, window.values))

    def _enter(self, column: bytes) -> bool:
        self.is_done = False
        return super()._enter(column)

    def _keep_put(self, timestamp: int, *, stands: bool) -> bool:
        if self._major:
            return super()._keep_put(timestamp, stands=stands)
        counted = self._count
        kept = super()._keep_put(timestamp, stands=True)
        hides_all = timestamp <= max(self._family_deleted, self._column_deleted)
        if self._count > counted:
            expired = timestamp < self._oldest and self._count > self._min_versions
            hides_all = self._count > self._max_versions or expired
            kept = kept and not hides_all
        # What has no qualifier is looked at to its end: tombstones of the family may follow.
        if hides_all and len(self._column) > self._row_bytes + len(END):
            self.is_done = True
        return kept

    def _keep_cell(self, key: bytes, value: bytes) -> bool:
        if not self._major and key[:-TAIL_BYTES] == self._column and self.is_done:
            return False
        return super()._keep_cell(key, value)


def meant(history: dict[str, Any], state: str, reading: str) -> Iterator[str]:
    """Why ours may answer otherwise. The first two make answers independent of compactions;
    the others are HBase's mistakes."""
    options = history["options"]
    if options["min_versions"] and reading in ("column", "columns"):
        yield "HBase gives versions of named columns that are expired"
    if not options["new_version_behavior"]:
        return
    if " ttl " in " ".join(history["operations"]):
        yield "a cell that expires by itself keeps its place among the versions"
    if options["keep_deleted_cells"] != "FALSE" and state in ("major", "late"):
        yield "the history of kept deletes outlives a major compaction"
    if reading in ("times", "newest_of_times") and "flush" in history["operations"]:
        yield "HBase leaves files out by their times though their puts push others out"
    if reading.startswith("raw") and state in ("minor", "later"):
        yield "HBase's raw reads show an overwritten cell after older files were compacted"


def histories(name: str = "histories.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text().splitlines()]


def test_a_region_answers_as_hbase_did(make_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours keeps surplus versions until a major compaction; here it drops them where HBase
    does, so that everything else can be compared."""
    monkeypatch.setattr(flush, "Retention", LossyRetention)
    monkeypatch.setattr(compaction, "Retention", LossyRetention)
    met: Counter[str] = Counter()
    told = [*histories(), *histories("histories_in_memory.jsonl")]
    for number, history in enumerate(told):
        for state, theirs, ours in Life(make_engine, history).states():
            for reading, expected in theirs.items():
                if ours[reading] == expected:
                    continue
                why = list(meant(history, state, reading))
                assert why, (number, state, reading, expected, ours[reading])
                met.update(why)
    assert len(met) == 5, met


def test_flushes_and_compactions_change_no_answer(make_engine: Any) -> None:
    """None at all with new versions, else none but major ones."""
    for number, history in enumerate(histories()):
        played = history["options"]["new_version_behavior"]
        if number % (2 if played else 6):
            continue
        lives = zip(
            Life(make_engine, history).states(),
            Life(make_engine, history, in_memory=True).states(),
            strict=True,
        )
        for (state, _, ours), (_, _, in_memory) in lives:
            if state in ("major", "late") and not played:
                break
            for reading in READINGS:
                if not reading.startswith("raw"):
                    assert (number, state, ours[reading]) == (number, state, in_memory[reading])
