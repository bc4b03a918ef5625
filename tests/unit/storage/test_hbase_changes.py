"""Increments, appends and conditional changes: ours come to what a real HBase made of them.

Format in tests/fixtures/hbase/README.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raybase.errors import RaybaseError
from raybase.model import ALL_TIME, LATEST_TIMESTAMP, CellType, FamilyDescriptor, TimeRange
from raybase.operations import (
    ALL_VERSIONS,
    Append,
    CompareOperator,
    Condition,
    Delete,
    Increment,
    Mutation,
    Put,
    Scan,
)
from raybase.storage.filters.language import parse_filter

LIVES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures" / "hbase" / "changes.jsonl")
    .read_text()
    .splitlines()
]
FIRST_MS = 3501
DIFFERENT = {
    **dict.fromkeys(
        (14, 25, 44, 115),
        "HBase drops surplus versions at a flush, ours when all are "
        "compacted: one comes back when a newer one is deleted or expires",
    ),
    **dict.fromkeys(
        (3, 71, 112),
        "NEW_VERSION_BEHAVIOR: a cell that expired by itself keeps its place among the versions",
    ),
}
"""Lives that end differently, and why that is meant."""
TYPES = {
    CellType.PUT: "Put",
    CellType.DELETE: "Delete",
    CellType.DELETE_COLUMN: "DeleteColumn",
    CellType.DELETE_FAMILY: "DeleteFamily",
}


def times_of(told: dict[str, Any]) -> TimeRange:
    return TimeRange(*told["times"]) if "times" in told else ALL_TIME


def mutation_of(told: dict[str, Any]) -> Mutation:
    column, kind = told.get("column", "").encode(), told["kind"]
    value, at = bytes.fromhex(told.get("value", "")), told.get("at", LATEST_TIMESTAMP)
    if kind == "put":
        return Put(b"a", ttl_ms=told.get("ttl")).add(b"f", column, value, at)
    if kind == "delete":
        return Delete(b"a").version(b"f", column, at)
    if kind == "deletecolumn":
        return Delete(b"a").column(b"f", column, at)
    if kind == "deletefamily":
        return Delete(b"a").family(b"f", at)
    builder = {"increment": Increment, "append": Append}[kind]
    mutation = builder(b"a", ttl_ms=told.get("ttl"), time_range=times_of(told))
    mutation.return_results = told.get("returns", True)
    return mutation.add(b"f", column, told["amount"] if kind == "increment" else value)


def condition_of(told: dict[str, Any]) -> Condition:
    operator = CompareOperator[told.get("operator", "EQUAL")]
    value = bytes.fromhex(told["value"]) if "value" in told else None
    text = told.get("filter")
    return Condition(
        *(b"a", b"f", told.get("column", "").encode(), operator, value, times_of(told)),
        filter=None if text is None else parse_filter(text),
    )


def texts(cells: Any) -> list[str]:
    return [
        f"{qualifier.decode()}@{timestamp} {TYPES[kind]} {value.hex()}"
        for _, _, qualifier, timestamp, kind, value in cells
    ]


def lived(engine: Any, told: dict[str, Any]) -> dict[str, Any]:
    """What came of the operation: result, applied, error."""
    if told["kind"] == "flush":
        engine.flush()
        return {}
    is_check = told["kind"] == "check"
    mutations = [mutation_of(one) for one in (told["then"] if is_check else [told])]
    try:
        write = engine.modify(*mutations, condition=condition_of(told) if is_check else None)
    except RaybaseError as error:
        return {"error": type(error).__name__}
    came: dict[str, Any] = {"applied": write.applied} if is_check else {}
    cells = [text for batch in write.results if batch is not None for text in texts(batch.cells())]
    return {**came, "result": cells}


@pytest.mark.parametrize("number", range(len(LIVES)))
def test_changes_come_to_what_hbase_made_of_them(make_engine: Any, number: int) -> None:
    life = LIVES[number]
    family = FamilyDescriptor(
        b"f",
        max_versions=life["versions"],
        new_version_behavior=life["new_version_behavior"],
    )
    engine = make_engine(family)
    for index, told in enumerate(life["operations"]):
        engine.now_ms = FIRST_MS + index
        came = lived(engine, told)
        assert came.get("applied") == told.get("applied"), (index, told)
        assert ("error" in came) == ("error" in told), (index, told)
        assert came.get("result", []) == told.get("result", []), (index, told)
    last_ms = engine.now_ms
    ends = []
    for engine.now_ms in (last_ms, last_ms + 1100):
        ends.append(texts(engine.scan(Scan(max_versions=ALL_VERSIONS))))
    assert (ends == [life["visible"], life["later"]]) == (number not in DIFFERENT)
    engine.now_ms = last_ms
    # HBase drops surplus versions when it flushes and when a counter of one version moves on.
    raw = texts(engine.scan(Scan(raw=True, max_versions=ALL_VERSIONS)))
    assert {" ".join(cell.split(" ")[:3]) for cell in life["raw"]} <= set(raw)
