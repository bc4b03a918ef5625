"""What a columnar file costs beside HBase's block codecs, and each of its streams by itself.

Two data sets that anybody with Python has:

- *pages*: the demo's webtable, the standard library's sources with who imports whom. Large
  values, and rows that are names of modules.
- *zones*: every change of a clock in the IANA time zone database, as Python's zoneinfo finds it
  (where the system has none: ``pip install tzdata``). Small values, each at its own time.
"""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import blosc2
import numpy as np

from raybase.client.demo.pages import find_modules, imports_of, read_page
from raybase.model import CellType, FamilyDescriptor, FileFormat
from raybase.storage.block_cache import BlockCache
from raybase.storage.hfile import HFileReader, HFileWriter, warm_up
from raybase.storage.key import PLAIN_ROWS, TAIL_BYTES, cell_key
from raybase.storage.store_file import StoreFile, entry_of

from .lab import Lab
from .report import Figure
from .settings import Settings
from .timing import timed

Cell = tuple[bytes, bytes]
"""Key and value."""
_PUTS_A_WRITE: Final = 50
_BLOCK_BYTES: Final = 65536
_CODECS: Final = ("NONE", "GZ", "SNAPPY", "LZ4", "ZSTD")
_NUMBERS: Final = {"lengths of heads": 4, "tails": TAIL_BYTES, "lengths of values": 4}
"""Bytes of an item; the other streams are text."""
_FILTERS: Final = {
    "plain": blosc2.Filter.NOFILTER,
    "shuffled": blosc2.Filter.SHUFFLE,
    "bits shuffled": blosc2.Filter.BITSHUFFLE,
}
_COMPRESSORS: Final = {
    "ZSTD 1": (blosc2.Codec.ZSTD, 1),
    "ZSTD 3": (blosc2.Codec.ZSTD, 3),
    "LZ4 1": (blosc2.Codec.LZ4, 1),
    "LZ4HC 5": (blosc2.Codec.LZ4HC, 5),
    "ZLIB 5": (blosc2.Codec.ZLIB, 5),
}


def details(settings: Settings, _: Lab) -> list[Figure]:
    warm_up()
    rounds = settings.some(3, 1)
    figures = []
    for name, families in (("pages", pages()), ("zones", [zones()])):
        figures += _files(name, families, rounds)
        figures += _streams(name, families, rounds)
    return figures


def pages() -> list[list[Cell]]:
    """The families of the webtable: contents, and anchors."""
    contents, anchors = [], {}
    for module in find_modules():
        page = read_page(module)
        row, at = page.name.encode(), page.modified_ms
        contents.append((row, b"", at, page.source))
        contents.append((row, b"sha256", at, page.sha256.encode()))
        contents.append((row, b"lines", at, b"%d" % page.lines))
        for imported, text in imports_of(module, page.source):
            anchors[imported.encode(), row] = at, text.encode()
    return [
        _keyed(contents),
        _keyed([(row, importer, *cell) for (row, importer), cell in anchors.items()]),
    ]


def zones() -> list[Cell]:
    """A row for every zone, and a version for every change: offset, summer time, name."""
    cells = []
    for name in sorted(zoneinfo.available_timezones()):
        for at, offset_s, summer, abbreviation in _changes(_zone_file(name)):
            value = b"%+05d %d %s" % (offset_s // 36, summer, abbreviation)
            cells.append((name.encode(), b"zone", max(at * 1000, 0), value))
    return _keyed(cells)


def _zone_file(name: str) -> bytes:
    for directory in zoneinfo.TZPATH:
        path = Path(directory, name)
        if path.is_file():
            return path.read_bytes()
    from importlib.resources import files

    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def _changes(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(seconds, offset, whether it is summer time, abbreviation); the format is RFC 8536's."""
    header = struct.Struct(">20x6I")
    utc, standard, leaps, times, types, chars = header.unpack_from(data)
    second = 44 + times * 5 + types * 6 + chars + leaps * 8 + standard + utc
    utc, standard, leaps, times, types, chars = header.unpack_from(data, second)
    at = second + 44
    moments = struct.unpack_from(f">{times}q", data, at)
    kinds = data[at + 8 * times : at + 9 * times]
    at += 9 * times
    names = data[at + 6 * types : at + 6 * types + chars]
    for moment, kind in zip(moments, kinds, strict=True):
        offset_s, summer, start = struct.unpack_from(">iBB", data, at + 6 * kind)
        yield moment, offset_s, summer, names[start : names.index(b"\0", start)]


def _keyed(cells: Sequence[tuple[bytes, bytes, int, bytes]]) -> list[Cell]:
    """In order, as puts in writes of some cells each."""
    put = CellType.PUT.value
    return sorted(
        (cell_key(PLAIN_ROWS.encode(row), qualifier, at, put, number // _PUTS_A_WRITE + 1), value)
        for number, (row, qualifier, at, value) in enumerate(cells)
    )


def _files(name: str, families: Sequence[Sequence[Cell]], rounds: int) -> list[Figure]:
    """Whole files: ours, and HBase's blocks with its codecs."""
    kinds = [("COLUMNAR", FamilyDescriptor(b"f"))]
    kinds += [
        (
            f"HBase's, {codec}",
            FamilyDescriptor(b"f", file_format=FileFormat.HBASE, compression=codec),
        )
        for codec in _CODECS
    ]
    cells = sum(map(len, families))
    figures = []
    for kind, family in kinds:
        best_write_s = best_read_s = float("inf")
        for _ in range(rounds):
            write_s, images = timed(lambda family=family: _written(family, families))  # type: ignore[misc]
            read_s, _ = timed(lambda images=images: list(map(_read, images)))  # type: ignore[misc]
            best_write_s, best_read_s = min(best_write_s, write_s), min(best_read_s, read_s)
        size = sum(map(len, images))
        note = (
            f"written in {best_write_s / cells * 1e6:.2f} us a cell, "
            f"read in {best_read_s / cells * 1e6:.2f}"
        )
        figures.append(_size(f"file of {name}: {kind}", size / 1e6, "MB", note))
    return figures


def _written(family: FamilyDescriptor, families: Sequence[Sequence[Cell]]) -> list[bytes]:
    images = []
    for cells in families:
        writer = HFileWriter(family, PLAIN_ROWS)
        writer.append([key for key, _ in cells], [value for _, value in cells])
        images.append(writer.finish(max_sequence_id=len(cells)).data)
    return images


def _read(image: bytes) -> int:
    """All keys and values, made."""
    reader = HFileReader.from_image("f", memoryview(image))
    count = 0
    for window in StoreFile(entry_of(b"f", "f", reader.stats), reader).blocks(BlockCache(1)):
        assert len(window.keys) == len(window.values)
        count += len(window)
    return count


def _streams(name: str, families: Sequence[Sequence[Cell]], rounds: int) -> list[Figure]:
    """Each stream of all blocks, compressed in several ways."""
    blocks = [block for cells in families for block in _blocks(cells)]
    figures = []
    for stream in blocks[0]:
        raw = [block[stream] for block in blocks]
        item_bytes = _NUMBERS.get(stream, 1)
        for filter_name, chosen in _FILTERS.items():
            if item_bytes == 1 and filter_name != "plain":
                continue
            for codec_name, (codec, level) in _COMPRESSORS.items():
                what = f"{name}, {stream}: {codec_name}, {filter_name}"
                compress = partial(
                    blosc2.compress, typesize=item_bytes, clevel=level, filter=chosen, codec=codec
                )
                figures.append(_compared(what, raw, compress, rounds))
    return figures


def _compared(
    what: str, raw: Sequence[bytes], compress: Callable[[bytes], bytes], rounds: int
) -> Figure:
    best_s = back_s = float("inf")
    for _ in range(rounds):
        took_s, chunks = timed(lambda: list(map(compress, raw)))
        returned_s, _ = timed(lambda chunks=chunks: list(map(blosc2.decompress, chunks)))  # type: ignore[misc]
        best_s, back_s = min(best_s, took_s), min(back_s, returned_s)
    count = len(raw)
    note = f"a block in {best_s / count * 1e6:.0f} us, back in {back_s / count * 1e6:.0f}"
    return _size(what, 100 * sum(map(len, chunks)) / max(sum(map(len, raw)), 1), "%", note)


def _blocks(cells: Sequence[Cell]) -> Iterator[dict[str, bytes]]:
    """The streams of every block of a file of these cells."""
    block: list[Cell] = []
    size = 0
    for key, value in cells:
        block.append((key, value))
        size += len(key) + len(value)
        if size >= _BLOCK_BYTES:
            yield _cut(block)
            block, size = [], 0
    if block:
        yield _cut(block)


def _cut(block: Sequence[Cell]) -> dict[str, bytes]:
    heads = [key[:-TAIL_BYTES] for key, _ in block]
    return {
        "lengths of heads": _lengths(heads),
        "heads": b"".join(heads),
        "tails": b"".join(key[-TAIL_BYTES:] for key, _ in block),
        "lengths of values": _lengths([value for _, value in block]),
        "values": b"".join(value for _, value in block),
    }


def _lengths(texts: Sequence[bytes]) -> bytes:
    lengths: Any = np.fromiter(map(len, texts), "<u4", len(texts))
    return bytes(lengths.tobytes())


def _size(operation: str, value: float, unit: str, note: str) -> Figure:
    return Figure(operation, unit, None, value, 0.5, value, None, 1, note)
