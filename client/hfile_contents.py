"""A store file's cells and keys as `raybase hfile` prints them, and its statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..model import LATEST_TIMESTAMP, CellType
from ..storage.block_cache import BlockCache
from ..storage.hfile import HFileReader, blocks, file_info
from ..storage.hfile.flat_key import split_flat
from ..storage.key import END, TAIL_BYTES, split_key, unescape
from ..storage.tags import tags_of
from .hfile_text import Histogram, binary_text, key_text

_CACHE_BYTES: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class PrintedCell:
    """A cell; ``key`` is its text."""

    row: bytes
    family: bytes
    key: str
    key_bytes: int
    value: bytes
    sequence_id: int

    @property
    def text(self) -> str:
        return f"{self.key}/vlen={len(self.value)}/seqid={self.sequence_id}"

    @property
    def stored_bytes(self) -> int:
        """As a KeyValue without its sequence id."""
        tags = tags_of(self.value)
        return 8 + self.key_bytes + len(self.value) + (2 + len(tags) if tags else 0)


class PrintedFile:
    """An open file whose bytes are at hand, under the name it was asked for."""

    def __init__(self, name: str, reader: HFileReader, image: memoryview) -> None:
        self.name = name
        self.reader = reader
        self.image = image
        self.loaded = reader.loaded
        self.cache = BlockCache(_CACHE_BYTES)
        self.family = b""
        """Of all cells; our own files do not say it."""
        if self.loaded.encoding.name != "COLUMNAR" and reader.stats.entries:
            with blocks.reported_as_corruption(name, self.loaded.trailer.file_info_offset):
                _, self.family, _ = split_flat(self.loaded.info[file_info.LAST_KEY])

    def cells(self, wanted_row: bytes) -> Iterator[PrintedCell]:
        """All cells in order, or those of a row."""
        decode = self.loaded.rows.decode
        wanted = self.loaded.rows.encode(wanted_row)
        place = self.reader.find(wanted, self.cache)
        while place is not None:
            block = self.reader.block(place, self.cache)
            for key, value in zip(block.keys, block.values, strict=True):
                encoded_row, qualifier, timestamp, type_code, sequence_id = split_key(key)
                if wanted and encoded_row > wanted:
                    return
                if wanted and encoded_row < wanted:
                    continue
                row = decode(encoded_row)
                text = key_text(row, self.family, qualifier, timestamp, type_code)
                key_bytes = 12 + len(row) + len(self.family) + len(qualifier)
                yield PrintedCell(row, self.family, text, key_bytes, value, sequence_id)
            place = self.reader.find(place.bound, self.cache) if place.bound else None

    def index_key(self, key: bytes) -> str:
        """A key of the index, which may end behind its row or its qualifier."""
        encoded_row, _, rest = key.partition(END)
        row = self.loaded.rows.decode(encoded_row)
        if len(rest) >= TAIL_BYTES + len(END):
            _, qualifier, timestamp, type_code, _ = split_key(key)
        else:
            qualifier = unescape(rest.removesuffix(END))
            timestamp, type_code = LATEST_TIMESTAMP, int(CellType.MAXIMUM)
        # A key that HBase made up to stand between two rows has no family.
        made_up = type_code == CellType.MAXIMUM and not qualifier
        family = b"" if made_up else self.family
        return key_text(row, family, qualifier, timestamp, type_code)


class Statistics:
    """Sizes of keys, values and rows. The key of a row is its last one, as HBase counts."""

    def __init__(self) -> None:
        self._keys = Histogram("Key length")
        self._values = Histogram("Val length")
        self._rows = Histogram("Row size (bytes)")
        self._columns = Histogram("Row size (columns)")
        self._last: PrintedCell | None = None
        self._row_bytes = self._row_cells = 0
        self._biggest = (0, b"")

    def add(self, cell: PrintedCell) -> None:
        self._values.add(len(cell.value))
        if self._last is not None and self._last.row != cell.row:
            self._end_row(self._last)
        self._row_bytes += cell.stored_bytes
        self._row_cells += 1
        self._last = cell

    def lines(self, *, with_ranges: bool) -> Iterator[str]:
        """All that is printed; nothing may be added afterwards."""
        yield "Stats:"
        if self._last is None:
            yield "no data available for statistics"
            return
        self._end_row(self._last)
        for histogram in (self._keys, self._values, self._rows, self._columns):
            yield from histogram.lines(with_ranges=with_ranges)
        yield "\n"
        yield f"Key of biggest row: {binary_text(self._biggest[1])}"

    def _end_row(self, last: PrintedCell) -> None:
        self._rows.add(self._row_bytes)
        self._columns.add(self._row_cells)
        self._keys.add(last.key_bytes)
        if self._row_bytes > self._biggest[0]:
            self._biggest = (self._row_bytes, last.row)
        self._row_bytes = self._row_cells = 0
