"""The fixtures that HBase wrote: all there, all named, all small."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hbase"
README = (FIXTURES / "README.md").read_text()
TYPES = {4, 8, 10, 12, 14}


def lines_of(path: Path) -> list:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_readme_names_every_hfile_and_no_other():
    there = sorted(path.name for path in (FIXTURES / "hfiles").iterdir())
    assert sorted(re.findall(r"`(\w+\.hfile)`", README)) == there
    assert [line["file"] for line in lines_of(FIXTURES / "hfiles.jsonl")] == there


def test_every_hfile_has_a_dump_of_well_formed_cells():
    dumps = {line["cells"] for line in lines_of(FIXTURES / "hfiles.jsonl")}
    assert dumps == {path.name for path in (FIXTURES / "cells").iterdir()}
    for name in dumps:
        assert f"`{name}`" in README
        for row, family, qualifier, timestamp, type_code, sequence_id, value, tags in lines_of(
            FIXTURES / "cells" / name
        ):
            assert bytes.fromhex(row)
            assert family in ("f", "info")
            assert all(isinstance(bytes.fromhex(text), bytes) for text in (qualifier, value, tags))
            assert timestamp >= 0
            assert type_code in TYPES
            assert sequence_id >= 0


@pytest.mark.parametrize(
    ("name", "count", "states"),
    [
        ("histories", 240, ["memory", "flushed", "later", "major", "late"]),
        ("histories_in_memory", 100, ["memory", "later", "last"]),
    ],
)
def test_every_history_is_well_formed(name, count, states):
    histories = lines_of(FIXTURES / f"{name}.jsonl")
    assert len(histories) == count
    operation = re.compile(
        r"flush|(put|delete(column|family|familyversion)?) [ab][01]?(@\d+)?( ttl \d+)?"
    )
    cell = re.compile(r"[ab][01]?@\d+[PDCFV]\d*")
    for history in histories:
        names = {f"`{name}`" for name in history["answers"][0]["scans"]}
        assert len(names) == 11
        assert all(name in README for name in names)
        operations = history["operations"] + history.get("late_operations", [])
        assert all(map(operation.fullmatch, operations))
        lived = [answer["state"] for answer in history["answers"]]
        assert [state for state in lived if state != "minor"] == states
        for answer in history["answers"]:
            assert all(map(cell.fullmatch, " ".join(answer["scans"].values()).split()))


def test_every_change_is_well_formed():
    lives = lines_of(FIXTURES / "changes.jsonl")
    assert len(lives) == 120
    operations = [operation for life in lives for operation in life["operations"]]
    kinds = {operation["kind"] for operation in operations}
    assert len(kinds) == 8
    assert all(f"`{kind}`" in README for kind in kinds)
    checks = [operation for operation in operations if operation["kind"] == "check"]
    assert all(("applied" in check) != ("error" in check) for check in checks)
    cell = re.compile(r"[01]?@\d+ (Put|Delete(Column|Family)?) [0-9a-f]*( [0-9a-f]+)?")
    assert all(
        cell.fullmatch(text)
        for life in lives
        for text in life["visible"] + life["later"] + life["raw"]
    )


def test_every_answer_of_a_filter_is_well_formed():
    parsed = {line["text"]: line for line in lines_of(FIXTURES / "filters_parsed.jsonl")}
    assert len(parsed) > 190
    valid = {text for text, line in parsed.items() if "error" not in line}
    assert 100 < len(valid) < len(parsed) - 50
    assert all(parsed[text]["filter"].startswith(parsed[text]["class"]) for text in valid)
    content, *applied = lines_of(FIXTURES / "filters_applied.jsonl")
    cells = {tuple(cell.split(" ", 1)) for cell in content["cells"]}
    assert len(applied) > 300
    assert valid == {line["text"] for line in applied if "text" in line}
    for line in applied:
        assert ("rows" in line) != ("error" in line)
        assert f"`{line.get('reading', 'newest')}`" in README
        if "KeyOnly" not in line.get("text", ""):
            for row, *found in line.get("rows", []):
                assert {(row, cell) for cell in found} <= cells


def test_every_bounded_scan_is_well_formed():
    content, *scans = lines_of(FIXTURES / "readings.jsonl")
    assert len(scans) == 150
    raw = {tuple(cell.split(" ", 1)) for cell in content["cells"]}
    plain = {(row, re.sub(" Put=", "=", cell, count=1)) for row, cell in raw}
    for scan in scans:
        assert all(f"`{option}`" in README for option in scan)
        cells = raw if "raw" in scan else plain
        for row, *found in scan.get("rows", []):
            assert {(row, cell) for cell in found} <= cells


def test_every_printed_text_is_about_an_hfile():
    texts = list((FIXTURES / "printed").iterdir())
    assert len(texts) > 25
    for path in texts:
        name, options, suffix = path.name.split(".")
        assert (FIXTURES / "hfiles" / f"{name}.hfile").exists()
        assert suffix == "txt"
        assert "file:" not in path.read_text()
        assert ("Trailer:" in path.read_text()) == ("m" in options)


def test_every_log_has_a_dump_of_its_entries():
    logs = sorted(path.name for path in (FIXTURES / "wals").glob("*.wal"))
    assert logs == ["closed.wal", "compressed.wal", "cut.wal"]
    closed, compressed, cut = (
        lines_of(FIXTURES / "wals" / f"{Path(name).stem}.jsonl") for name in logs
    )
    assert len(closed) == 8
    assert compressed == closed
    assert cut == [*closed[:-1], {"end": "inside an entry"}]


def test_the_fixtures_are_small():
    sizes = {
        path: path.stat().st_size
        for path in FIXTURES.rglob("*")
        if path.is_file() and "writer" not in path.parts
    }
    assert max(sizes.values()) < 400_000
    assert max(size for path, size in sizes.items() if path.suffix == ".hfile") < 60_000
    assert sum(sizes.values()) < 2_000_000
