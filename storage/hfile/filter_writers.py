"""What a file's filters are made of, block by block, while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, compress
from operator import ne
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...model import BloomType, CellType, FamilyDescriptor
from ..key import RowEncoder, unescape
from . import blocks, file_info, row_filter
from .bloom import row_column_key
from .bloom_writer import BloomWriter
from .flat_key import FIRST, flat_key
from .index import Emit, Entry

DELETE_FAMILY_TYPES = (255 - CellType.DELETE_FAMILY, 255 - CellType.DELETE_FAMILY_VERSION)
"""As they stand in cell keys."""


@dataclass(slots=True)
class FinishedFilters:
    """Where the filters are, and what else a file says of them."""

    metas: list[Entry] = field(default_factory=list)
    """Meta blocks, by their names."""
    load_on_open: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(magic, payload) of blocks behind the file info."""
    info: dict[bytes, bytes] = field(default_factory=dict)


class FilterWriter(Protocol):
    """Sees every cell of a file in order."""

    def add(
        self,
        encoded_rows: Sequence[bytes],
        escaped_qualifiers: Sequence[bytes],
        types: npt.NDArray[np.uint8],
    ) -> None:
        """The cells of a data block that was just written; types as in cell keys."""
        ...

    def finish(self) -> FinishedFilters:
        """Writes what is left of the filters that stand among the data blocks."""
        ...


class NoFilters:
    """For families that want none."""

    def add(
        self,
        encoded_rows: Sequence[bytes],
        escaped_qualifiers: Sequence[bytes],
        types: npt.NDArray[np.uint8],
    ) -> None:
        pass

    def finish(self) -> FinishedFilters:
        return FinishedFilters()


class RowFilterWriter:
    """Our own filter: which rows there are."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._hashes: list[row_filter.Hashes] = []
        self._rows = 0
        self._first = b""
        self._last = b""
        self._finished = FinishedFilters()

    def add(
        self,
        encoded_rows: Sequence[bytes],
        escaped_qualifiers: Sequence[bytes],
        types: npt.NDArray[np.uint8],
    ) -> None:
        previous = chain((self._last,), encoded_rows)
        rows = list(compress(encoded_rows, map(ne, encoded_rows, previous)))
        if rows:
            self._first = self._first if self._rows else rows[0]
            self._last = rows[-1]
            self._hashes.append(row_filter.mixed_hashes(rows))
            self._rows += len(rows)
        if self._rows >= row_filter.ROWS_PER_CHUNK:
            self._write_chunk()

    def finish(self) -> FinishedFilters:
        if self._rows:
            self._write_chunk()
        return self._finished

    def _write_chunk(self) -> None:
        hashes, self._hashes, self._rows = np.concatenate(self._hashes), [], 0
        offset, stored_bytes = self._emit(blocks.META, row_filter.encode(hashes))
        entry = Entry(offset, stored_bytes, row_filter.META_PREFIX + self._first)
        self._finished.metas.append(entry)


class HBaseFilters:
    """HBase's bloom filters: the family's, and one of the rows with deletes of the family.

    Source: StoreFileWriter.java, RowBloomContext.java and its kin.
    """

    def __init__(self, emit: Emit, family: FamilyDescriptor, rows: RowEncoder) -> None:
        self._family = family
        self._rows = rows
        of_columns = family.bloom is BloomType.ROWCOL
        self._general = BloomWriter(emit, blocks.BLOOM_CHUNK, of_columns=of_columns)
        self._of_columns = of_columns
        self._last: bytes | tuple[bytes, bytes] | None = None
        self._deletes = BloomWriter(emit, blocks.BLOOM_CHUNK)
        self._last_delete = b""

    def add(
        self,
        encoded_rows: Sequence[bytes],
        escaped_qualifiers: Sequence[bytes],
        types: npt.NDArray[np.uint8],
    ) -> None:
        if self._of_columns:
            self._add_columns(encoded_rows, escaped_qualifiers)
            return
        if self._family.bloom is not BloomType.NONE:
            self._add_rows(encoded_rows)
        # A file with a filter of columns finds deletes of the family there.
        deleting = np.flatnonzero(np.isin(types, DELETE_FAMILY_TYPES)).tolist()
        if deleting:
            rows = [self._rows.decode(encoded_rows[index]) for index in deleting]
            rows = [row for row in dict.fromkeys(rows) if row != self._last_delete]
            if rows:
                self._last_delete = rows[-1]
                self._deletes.add(rows, rows)

    def finish(self) -> FinishedFilters:
        finished = FinishedFilters()
        general = self._general.finish()
        if self._general.keys:
            finished.load_on_open.append((blocks.BLOOM_META, general))
            finished.info[file_info.BLOOM_TYPE] = self._family.bloom.value.encode()
            finished.info[file_info.LAST_BLOOM_KEY] = self._last_key()
            if self._family.bloom is BloomType.ROWPREFIX_FIXED_LENGTH:
                param = self._family.bloom_prefix_bytes.to_bytes(4, "big")
                finished.info[file_info.BLOOM_PARAM] = param
        deletes = self._deletes.finish()
        if self._deletes.keys:
            finished.load_on_open.append((blocks.DELETE_FAMILY_BLOOM_META, deletes))
        return finished

    def _add_rows(self, encoded_rows: Sequence[bytes]) -> None:
        rows = list(map(self._rows.decode, dict.fromkeys(encoded_rows)))
        if self._family.bloom is BloomType.ROWPREFIX_FIXED_LENGTH:
            length = self._family.bloom_prefix_bytes
            rows = list(dict.fromkeys(row[:length] for row in rows))
        if rows[0] == self._last:
            del rows[0]
        if rows:
            self._last = rows[-1]
            self._general.add(rows, rows)

    def _add_columns(self, encoded_rows: Sequence[bytes], qualifiers: Sequence[bytes]) -> None:
        pairs = list(dict.fromkeys(zip(encoded_rows, qualifiers, strict=True)))
        if pairs[0] == self._last:
            del pairs[0]
        if not pairs:
            return
        self._last = pairs[-1]
        columns = [(self._rows.decode(row), unescape(qualifier)) for row, qualifier in pairs]
        self._general.add(
            [row_column_key(row, qualifier).hashed for row, qualifier in columns],
            [flat_key(row, b"", qualifier, FIRST) for row, qualifier in columns],
        )

    def _last_key(self) -> bytes:
        if isinstance(self._last, tuple):
            row, qualifier = self._last
            return flat_key(self._rows.decode(row), b"", unescape(qualifier), FIRST)
        return self._last or b""
