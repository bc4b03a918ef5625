"""Scans with bounds and limits of every kind return what a real HBase returned."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from raybase.errors import InvalidRequestError
from raybase.model import CellType, FamilyDescriptor, TimeRange
from raybase.operations import Delete, Put, Scan

from .conftest import Engine

READINGS = Path(__file__).resolve().parents[2] / "fixtures" / "hbase" / "readings.jsonl"
TYPES = {
    "Put": CellType.PUT,
    "Delete": CellType.DELETE,
    "DeleteColumn": CellType.DELETE_COLUMN,
    "DeleteFamily": CellType.DELETE_FAMILY,
    "DeleteFamilyVersion": CellType.DELETE_FAMILY_VERSION,
}
NAMES = {kind.value: name for name, kind in TYPES.items()}
CELL = re.compile(r"(\w+) ([fg]):(\w*)@(\d+) (\w+)=(.*)", re.DOTALL)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in READINGS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def engine(lines: list[dict[str, Any]]) -> Engine:
    families = (FamilyDescriptor(name, max_versions=5, block_bytes=256) for name in (b"f", b"g"))
    engine = Engine(*families)
    puts: dict[bytes, Put] = {}
    deletes = []
    for text in lines[0]["cells"]:
        found = CELL.fullmatch(text)
        assert found is not None
        row, family, qualifier, timestamp, kind, value = (
            one.encode("latin-1") for one in found.groups()
        )
        cell = family, qualifier, int(timestamp)
        if kind == b"Put":
            puts.setdefault(row, Put(row)).add(family, qualifier, value, int(timestamp))
        else:
            deletes.append(Delete(row))
            deletes[-1].cells.append((*cell, TYPES[kind.decode()].value, b""))
    for number, put in enumerate(puts.values()):
        if number == 4:
            engine.flush()
        engine.write(put)
    for delete in deletes:
        engine.write(delete)
    return engine


def scan_of(line: dict[str, Any]) -> Scan:
    columns: dict[bytes, Any] = {}
    if "family" in line:
        columns[line["family"].encode()] = None
    for column in line.get("columns", ()):
        family, _, qualifier = column.encode().partition(b":")
        columns[family] = (*columns.get(family, ()), qualifier)
    times_of_g = {b"g": TimeRange(*line["times_of_g"])} if "times_of_g" in line else {}
    return Scan(
        line.get("start", "").encode("latin-1"),
        line.get("stop", "").encode("latin-1"),
        line.get("start_included", True),
        line.get("stop_included", False),
        columns,
        line["versions"],
        TimeRange(*line["times"]) if "times" in line else TimeRange(),
        reversed=line.get("reversed", False),
        raw=line.get("raw", False),
        family_times=times_of_g,
        store_limit=line.get("store_limit", 0),
        store_offset=line.get("store_offset", 0),
        batch=line.get("batch", 0),
    )


def results(engine: Engine, scan: Scan) -> list[list[str]]:
    found = []
    scanner = engine.scanner(scan)
    while not scanner.exhausted:
        batch = engine.fetching(scanner.next)
        cells = list(batch.cells())
        for start, end in zip([0, *batch.row_ends], batch.row_ends, strict=False):
            found.append([cells[start][0].decode("latin-1")])
            for _, family, qualifier, timestamp, kind, value in cells[start:end]:
                place = f"{family.decode()}:{qualifier.decode()}@{timestamp}"
                name = f" {NAMES[kind]}" if scan.raw else ""
                found[-1].append(f"{place}{name}={value.decode('latin-1')}")
    return found


def test_every_scan_returns_what_hbase_returned(
    lines: list[dict[str, Any]], engine: Engine
) -> None:
    for line in lines[1:]:
        if "error" in line:
            with pytest.raises(InvalidRequestError):
                scan_of(line)
        else:
            assert results(engine, scan_of(line)) == line["rows"], line
