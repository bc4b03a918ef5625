from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raybase.model import BloomType, FamilyDescriptor, FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileImage, HFileReader, HFileWriter
from raybase.storage.hfile.data_index import Place
from raybase.storage.key import PLAIN_ROWS, cell_key

Cells = list[tuple[bytes, bytes]]
FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures" / "hfiles"


@pytest.fixture(scope="session")
def write_file() -> Callable[..., HFileImage]:
    """Writes cells, given in order, as a file; appends of uneven sizes."""

    def write(cells: Cells, *, block_bytes: int = 256, **options: Any) -> HFileImage:
        rows = options.pop("rows", PLAIN_ROWS)
        family = FamilyDescriptor(
            b"f",
            block_bytes=block_bytes,
            bloom=options.pop("bloom", BloomType.ROW),
            bloom_prefix_bytes=options.pop("prefix_bytes", 0),
            file_format=options.pop("file_format", FileFormat.COLUMNAR),
            compression=options.pop("codec", "NONE"),
        )
        writer = HFileWriter(family, rows, **options)
        start, length = 0, 1
        while start < len(cells):
            part = cells[start : start + length]
            writer.append([key for key, _ in part], [value for _, value in part])
            start, length = start + length, length % 7 + 1
        return writer.finish(max_sequence_id=10**6)

    return write


@pytest.fixture(scope="session")
def read_all() -> Callable[..., Cells]:
    """Every cell of a file, block by block."""

    def read(reader: HFileReader, cache: BlockCache | None = None) -> Cells:
        cache = cache or BlockCache(1 << 24)
        return [
            cell
            for block in reader.blocks(cache)
            for cell in zip(block.keys, block.values, strict=True)
        ]

    return read


@pytest.fixture(scope="session")
def places() -> Callable[[HFileReader], list[Place]]:
    """Where a file's data blocks are."""

    def walk(reader: HFileReader) -> list[Place]:
        cache = BlockCache(1 << 24)
        found = []
        place = reader.find(b"", cache)
        while place is not None:
            found.append(place)
            place = reader.find(place.bound, cache) if place.bound else None
        return found

    return walk


@pytest.fixture(scope="session")
def numbered_cells() -> Callable[..., Cells]:
    """One cell for each of ``count`` rows, rows and sequence ids ascending."""

    def make(count: int, value_bytes: int = 8) -> Cells:
        return [
            (cell_key(b"row%06d" % n, b"q", 1000 + n, 4, 1 + n), b"%0*d" % (value_bytes, n))
            for n in range(count)
        ]

    return make


@pytest.fixture(scope="session")
def foreign_files() -> Path:
    """Files that others wrote; they lie beside the repository and not in it."""
    if not FIXTURES.is_dir():
        pytest.skip(f"no files of HBase and Hudi at {FIXTURES}")
    return FIXTURES
