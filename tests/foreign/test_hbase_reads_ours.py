"""HBase's own reader, printer and region on the files that raybase writes for it.

Runs where ``make foreign`` has built a real HBase.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from raybase.model import BloomType, FamilyDescriptor, FileFormat
from raybase.storage.hfile import HFileWriter
from raybase.storage.key import META_ROWS, PLAIN_ROWS, cell_key
from raybase.storage.tags import tagged

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hbase"
WRITER = FIXTURES / "writer"
CELLS_A_BATCH = 37
MAX_SEQUENCE_ID = 4321


@dataclass(frozen=True)
class Written:
    """What one file is written with."""

    cells: str
    """The dump whose cells it gets."""
    compression: str = "NONE"
    bloom: BloomType = BloomType.ROW
    block_bytes: int = 1024
    options: dict[str, Any] = field(default_factory=dict)


PREFIX = BloomType.ROWPREFIX_FIXED_LENGTH
FILES = {
    "none": Written("mixed"),
    "gz": Written("mixed", "GZ"),
    "snappy": Written("mixed", "SNAPPY"),
    "lz4": Written("mixed", "LZ4"),
    "zstd": Written("mixed", "ZSTD"),
    "large blocks in snappy": Written("large", "SNAPPY", block_bytes=65536),
    "large blocks in lz4": Written("large", "LZ4", block_bytes=65536),
    "large blocks in zstd": Written("large", "ZSTD", block_bytes=65536),
    "large blocks": Written("large", block_bytes=65536),
    "tags": Written("tagged"),
    "tags in gz": Written("tagged", "GZ"),
    "far timestamps": Written("timestamps", bloom=BloomType.ROWCOL),
    "no bloom": Written("rows", bloom=BloomType.NONE),
    "row bloom": Written("rows"),
    "row and column bloom": Written("rows", bloom=BloomType.ROWCOL),
    "prefix bloom": Written("rows", bloom=PREFIX),
    "mixed row and column bloom": Written("mixed", bloom=BloomType.ROWCOL),
    "two levels of index": Written("rows", block_bytes=256, options={"index_block_bytes": 512}),
    "more levels of index": Written("rows", block_bytes=256, options={"index_block_bytes": 128}),
    "levels in zstd": Written("rows", "ZSTD", block_bytes=256, options={"index_block_bytes": 128}),
    "no sequence ids": Written("rows_without_mvcc"),
    "rows of hbase:meta": Written("catalog"),
    "empty": Written("empty"),
    "empty in gz": Written("empty", "GZ"),
}
each_file = pytest.mark.parametrize("name", FILES)
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not shutil.which("java"), reason="there is no Java here"),
    pytest.mark.skipif(
        not (WRITER / "target" / "classpath").exists(), reason="make foreign has not built HBase"
    ),
]


@dataclass(frozen=True)
class Found:
    """What HBase says of one file."""

    cells: list[list[Any]]
    text: str
    region: dict[str, Any]
    """Empty for a file of hbase:meta."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """Writes all files and has one HBase read them."""
    folder = tmp_path_factory.mktemp("ours")
    for number, written in enumerate(FILES.values()):
        (folder / f"{number:02d}.hfile").write_bytes(write(written))
    subprocess.run([WRITER / "run", "check", folder], check=True)
    return {name: read_findings(folder, number) for number, name in enumerate(FILES)}


def cells_of(written: Written) -> list[list[Any]]:
    lines = (FIXTURES / "cells" / f"{written.cells}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def write(written: Written) -> bytes:
    family = FamilyDescriptor(
        b"f",
        file_format=FileFormat.HBASE,
        compression=written.compression,
        block_bytes=written.block_bytes,
        bloom=written.bloom,
        bloom_prefix_bytes=7 if written.bloom is PREFIX else 0,
    )
    rows = META_ROWS if written.cells == "catalog" else PLAIN_ROWS
    writer = HFileWriter(family, rows, **written.options)
    cells = cells_of(written)
    drained = []
    for start in range(0, len(cells), CELLS_A_BATCH):
        keys, values = [], []
        for row, _, qualifier, timestamp, type_code, sequence_id, value, tags in cells[
            start : start + CELLS_A_BATCH
        ]:
            coordinates = rows.encode(bytes.fromhex(row)), bytes.fromhex(qualifier), timestamp
            keys.append(cell_key(*coordinates, type_code, sequence_id))
            values.append(tagged(bytes.fromhex(value), bytes.fromhex(tags)))
        writer.append(keys, values)
        drained.append(writer.drain())
    image = writer.finish(max_sequence_id=MAX_SEQUENCE_ID, created_ms=1_700_000_000_000)
    return b"".join([*drained, image.data])


def read_findings(folder: Path, number: int) -> Found:
    stem = f"{number:02d}"
    lines = (folder / f"{stem}.cells.jsonl").read_text().splitlines()
    region = folder / f"{stem}.region.json"
    return Found(
        cells=[json.loads(line) for line in lines],
        text=(folder / f"{stem}.txt").read_text(),
        region=json.loads(region.read_text()) if region.exists() else {},
    )


@each_file
def test_hbase_reads_every_cell_and_every_checksum_holds(name, found):
    assert found[name].cells == cells_of(FILES[name])


@each_file
def test_hbases_printer_has_nothing_to_complain_of(name, found):
    text = found[name].text
    assert text.endswith("exit code 0\n")
    assert f"compressionCodec={FILES[name].compression}," in text
    assert f"Scanned kv count -> {len(cells_of(FILES[name]))}\n" in text
    if FILES[name].cells != "catalog":  # the printer compares those rows as bytes
        assert "WARNING" not in text


@each_file
def test_hbases_region_finds_every_row_and_compacts_the_file(name, found):
    region = found[name].region
    if FILES[name].cells == "catalog":
        assert not region
        return
    cells = cells_of(FILES[name])
    assert region["max_sequence_id"] == MAX_SEQUENCE_ID
    assert region["rows"] == len({cell[0] for cell in cells})
    assert region["wrong_rows"] == region["wrong_rows_after_compaction"] == 0


@each_file
def test_a_bloom_filter_never_misses_and_keeps_strangers_out(name, found):
    region = found[name].region
    if not region or not region["cells"]:
        return
    assert region["bloom"] == FILES[name].bloom.name
    assert region["missed"] == region["missed_deletes"] == 0
    if FILES[name].bloom is BloomType.NONE:
        assert region["strangers"] > region["cells"] / 5
    else:
        assert region["strangers"] < max(3, region["cells"] / 20)


@pytest.mark.parametrize(("name", "levels"), [("two levels of index", 2), ("row bloom", 1)])
def test_the_index_has_levels(name, levels, found):
    assert f"numDataIndexLevels={levels}," in found[name].text


def test_tags_are_printed(found):
    assert "T[1]: [Tag type : 65, value : label-0]" in found["tags"].text
