"""Scans under every option that bounds them answer as a real HBase did.

Format in tests/fixtures/hbase/README.md.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from raybase.errors import IllegalArgumentError
from raybase.model import ALL_TIME, CellType, FamilyDescriptor, TimeRange
from raybase.operations import Delete, Put, Scan

FIXTURE = Path(__file__).parents[2] / "fixtures" / "hbase" / "readings.jsonl"
CONTENT, *ANSWERS = map(json.loads, FIXTURE.read_text().splitlines())
STORED = re.compile(r"(\w+) ([fg]):(\w*)@(\d+) (\w+)=(.*)", re.DOTALL)
ROWS_IN_A_FILE = 4
TYPES = {
    CellType.PUT: "Put",
    CellType.DELETE: "Delete",
    CellType.DELETE_COLUMN: "DeleteColumn",
    CellType.DELETE_FAMILY: "DeleteFamily",
    CellType.DELETE_FAMILY_VERSION: "DeleteFamilyVersion",
}


def as_bytes(text: str) -> bytes:
    return text.encode("latin-1")


@pytest.fixture
def engine(make_engine: Any) -> Any:
    """The region: half of its puts in a file, then the others, then the deletes."""
    engine = make_engine(
        FamilyDescriptor(b"f", max_versions=5), FamilyDescriptor(b"g", max_versions=5)
    )
    engine.now_ms = 1000
    puts: dict[bytes, Put] = {}
    deletes = []
    for text in CONTENT["cells"]:
        found = STORED.fullmatch(text)
        assert found is not None, text
        row, family, qualifier, timestamp, kind, value = map(as_bytes, found.groups())
        if kind == b"Put":
            put = puts.setdefault(row, Put(row))
            put.add(family, qualifier, value, int(timestamp))
        else:
            deletes.append(deletion(row, family, qualifier, int(timestamp), kind.decode()))
    for number, put in enumerate(puts.values()):
        engine.write(put)
        if number == ROWS_IN_A_FILE - 1:
            engine.flush()
    engine.write(*deletes)
    return engine


def deletion(row: bytes, family: bytes, qualifier: bytes, timestamp: int, kind: str) -> Delete:
    delete = Delete(row)
    if kind == "Delete":
        return delete.version(family, qualifier, timestamp)
    if kind == "DeleteColumn":
        return delete.column(family, qualifier, timestamp)
    if kind == "DeleteFamily":
        return delete.family(family, timestamp)
    return delete.family_version(family, timestamp)


def scan_of(asked: dict[str, Any]) -> Scan:
    columns: dict[bytes, tuple[bytes, ...] | None] = {}
    if "family" in asked:
        columns[as_bytes(asked["family"])] = None
    for text in sorted(set(asked.get("columns", []))):
        family, _, qualifier = as_bytes(text).partition(b":")
        columns[family] = (*(columns.get(family) or ()), qualifier)
    times_of_g = {b"g": TimeRange(*asked["times_of_g"])} if "times_of_g" in asked else {}
    return Scan(
        start_row=as_bytes(asked.get("start", "")),
        stop_row=as_bytes(asked.get("stop", "")),
        include_start=asked.get("start_included", True),
        include_stop=asked.get("stop_included", False),
        columns=columns,
        max_versions=asked["versions"],
        time_range=TimeRange(*asked["times"]) if "times" in asked else ALL_TIME,
        reversed=asked.get("reversed", False),
        family_times=times_of_g,
        store_limit=asked.get("store_limit", 0),
        store_offset=asked.get("store_offset", 0),
        batch=asked.get("batch", 0),
        raw=asked.get("raw", False),
    )


def text_of(cell: tuple[Any, ...], *, raw: bool) -> str:
    _, family, qualifier, timestamp, kind, value = cell
    typed = f" {TYPES[kind]}" if raw else ""
    head = f"{family.decode()}:{qualifier.decode()}@{timestamp}{typed}"
    return f"{head}={value.decode('latin-1')}"


def results(engine: Any, scan: Scan) -> list[list[str]]:
    """Row and cells of every result."""
    found: list[list[str]] = []
    scanner = engine.scanner(scan)
    while not scanner.exhausted:
        batch = engine.fetching(scanner.next)
        cells = list(batch.cells())
        for start, end in zip([0, *batch.row_ends], batch.row_ends, strict=False):
            texts = [text_of(cell, raw=scan.raw) for cell in cells[start:end]]
            found.append([cells[start][0].decode(), *texts])
    return found


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_a_bounded_scan_answers_as_hbase_did(engine: Any, number: int) -> None:
    asked = ANSWERS[number]
    if "error" in asked:
        assert "raw" in asked
        assert "columns" in asked
        with pytest.raises(IllegalArgumentError):
            results(engine, scan_of(asked))
    else:
        assert results(engine, scan_of(asked)) == asked["rows"]
