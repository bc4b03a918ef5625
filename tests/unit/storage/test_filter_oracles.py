"""Filters answer as a real HBase did: its parser, its messages, its scans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raybase.errors import IllegalArgumentError, IncompatibleFilterError, InvalidRequestError
from raybase.model import FamilyDescriptor
from raybase.operations import ALL_VERSIONS, Put, Scan
from raybase.rpc.filters import filter_from_pb, filter_to_pb
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.storage.filters import parse_filter

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "hbase"
PACKAGE = "org.apache.hadoop.hbase.filter."


def lines(name: str) -> list[dict[str, Any]]:
    text = (FIXTURES / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


PARSED = lines("filters_parsed.jsonl")
APPLIED = lines("filters_applied.jsonl")


def filter_of(line: dict[str, Any]) -> Any:
    if "bytes" not in line:
        return parse_filter(line["text"])
    message = pb.Filter(
        name=PACKAGE + line["class"], serialized_filter=bytes.fromhex(line["bytes"])
    )
    return filter_from_pb(message)


@pytest.mark.parametrize("line", PARSED, ids=lambda line: line["text"][:60])
def test_a_text_means_the_filter_that_hbase_makes_of_it(line: dict[str, Any]) -> None:
    if "error" in line:
        with pytest.raises(InvalidRequestError):
            parse_filter(line["text"])
        return
    parsed = parse_filter(line["text"])
    assert parsed == filter_of(line)
    assert filter_from_pb(filter_to_pb(parsed)) == parsed


@pytest.fixture(scope="module")
def engine() -> Any:
    from .conftest import Engine

    engine = Engine(
        FamilyDescriptor(b"f", max_versions=5, block_bytes=256),
        FamilyDescriptor(b"g", max_versions=5, block_bytes=256),
    )
    puts: dict[bytes, Put] = {}
    for cell in APPLIED[0]["cells"]:
        row, _, rest = cell.encode("latin-1").partition(b" ")
        place, _, value = rest.partition(b"=")
        column, _, timestamp = place.rpartition(b"@")
        family, _, qualifier = column.partition(b":")
        puts.setdefault(row, Put(row)).add(family, qualifier, value, int(timestamp))
    for number, put in enumerate(puts.values()):
        if number == 4:
            engine.flush()
        engine.write(put)
    return engine


BEGINNINGS = [
    ["10", "f:@4=", "f:a@3=red"],
    ["9", "f:a@3=green", "g:x@3=blue"],
    ["Date", "f:a@3=blue", "f:n@2=7"],
    ["apple", "f:@4=", "f:a@3=dark-red"],
    ["apricot", "f:a@3=red", "f:n@2=13"],
    ["banana", "f:a@3=green", "g:count@2=\0\0\0\0\0\0\0\xc8"],
    ["berry", "f:@4=", "f:a@3=blue"],
    ["cherry", "f:a@3=dark-red", "g:x@3=red"],
]
BOTH_RED = " AND ".join(
    ["SingleColumnValueFilter('f','a',=,'binary:red',true,true)", "ColumnPrefixFilter('n')"]
)
OURS: dict[tuple[str, str], Any] = {
    # HBase reads no more of a family once this filter, which is for gets, has had enough of it.
    ("ColumnCountGetFilter(2)", ""): BEGINNINGS,
    ("ColumnCountGetFilter(2)", "reversed"): BEGINNINGS[::-1],
    # HBase takes a hint to a column for one that lies behind, as rows go down, and loses f:n.
    ("FirstKeyOnlyFilter() OR ColumnPrefixFilter('n')", "reversed"): [
        ["cherry", "f:a@3=dark-red"],
        ["berry", "f:@4=", "f:n@2=19"],
        ["banana", "f:a@3=green"],
        ["apricot", "f:a@3=red", "f:n@2=13"],
        ["apple", "f:@4="],
        ["Date", "f:a@3=blue", "f:n@2=7"],
        ["9", "f:a@3=green"],
        ["10", "f:@4=", "f:n@2=1"],
    ],
    # HBase's clients refuse these, its servers only when a row is cut in fact.
    ("PageFilter(0)", "batch"): IncompatibleFilterError,
    ("SingleColumnValueFilter('f','a',=,'binary:old',true,true)", "batch"): IncompatibleFilterError,
    (BOTH_RED, "batch"): IncompatibleFilterError,
    (
        "SKIP (PrefixFilter('a') OR ValueFilter(=,'binary:red'))",
        "batch",
    ): IncompatibleFilterError,
    # A comparison without an operator drops everything in HBase; here it says so.
    ("RowFilter (NO_OP, a)", ""): IllegalArgumentError,
    ("RowFilter (NO_OP, a)", "versions"): IllegalArgumentError,
}
"""What is answered otherwise, on purpose, by text and reading."""

READINGS: dict[str, dict[str, Any]] = {
    "newest": {},
    "versions": {"max_versions": ALL_VERSIONS},
    "reversed": {"reversed": True},
    "batch": {"batch": 2},
    "columns": {
        "columns": {b"f": (b"a",), b"g": (b"x",)},
        "start_row": b"apple",
        "stop_row": b"cherry",
    },
}


@pytest.mark.parametrize(
    "line",
    APPLIED[1:],
    ids=lambda line: f"{line.get('text', line.get('filter'))[:60]} {line.get('reading', '')}",
)
def test_a_scan_with_a_filter_returns_what_hbase_returned(
    line: dict[str, Any], engine: Any
) -> None:
    def scanned() -> list[list[str]]:
        scan = Scan(filter=filter_of(line), **READINGS[line.get("reading", "newest")])
        found = []
        scanner = engine.scanner(scan)
        while not scanner.exhausted:
            batch = engine.fetching(scanner.next)
            start = 0
            for end in batch.row_ends:
                found.append([batch.rows[start].decode("latin-1")])
                for at in range(start, end):
                    place = b"%b:%b" % (batch.families[at], batch.qualifiers[at])
                    cell = b"%b@%d=%b" % (place, batch.timestamps[at], batch.values[at])
                    found[-1].append(cell.decode("latin-1"))
                start = end
        return found

    name = line.get("text", line.get("filter")), line.get("reading", "")
    error = InvalidRequestError if "error" in line else None
    expected = OURS.get(name, error or line.get("rows"))
    if isinstance(expected, list):
        assert scanned() == expected
    else:
        with pytest.raises(expected):
            scanned()


def test_every_difference_from_hbase_is_still_one() -> None:
    known = {(line.get("text", line.get("filter")), line.get("reading", "")) for line in APPLIED}
    assert set(OURS) <= known
