"""RocksDB and LMDB on the same cells. A cell's key there is row, family and qualifier.

Both are given what suits them: RocksDB a bloom filter, a block cache that holds everything and
its usual compression; LMDB a map that is large enough. Neither keeps versions, timestamps or
deletes by time, and their keys are the plain bytes of the cell.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, Protocol

from .cells import Cells

_END: Final = b"\0"
_MAP_BYTES: Final = 8 << 30
_CACHE_BYTES: Final = 2 << 30
_BUFFER_BYTES: Final = 1 << 30


class Peer(Protocol):
    """An engine that is measured beside raybase. Every read returns the number of its cells."""

    name: str

    def put(self, cells: Sequence[tuple[bytes, bytes]]) -> None: ...

    def get(self, row: bytes) -> int: ...

    def get_many(self, rows: Sequence[bytes]) -> int: ...

    def scan(self) -> int: ...

    def close(self) -> None: ...


def pairs_of(cells: Cells, numbers: Sequence[int]) -> list[tuple[bytes, bytes]]:
    """(key, value) of all cells of these rows."""
    return [
        (key_of(cells.rows[number], family, qualifier), value)
        for number in numbers
        for (family, qualifier), value in zip(
            cells.shape.columns, cells.values(number), strict=True
        )
    ]


def key_of(row: bytes, family: bytes, qualifier: bytes) -> bytes:
    return b"%b\0%b:%b" % (row, family, qualifier)


def keys_of(cells: Cells, row: bytes) -> list[bytes]:
    return [key_of(row, family, qualifier) for family, qualifier in cells.shape.columns]


class RocksDb:
    """rocksdict."""

    name = "RocksDB"

    def __init__(
        self, path: Path, cells: Cells, *, sync: bool, cache_bytes: int = _CACHE_BYTES
    ) -> None:
        rocksdict = importlib.import_module("rocksdict")
        options = rocksdict.Options(raw_mode=True)
        options.set_write_buffer_size(_BUFFER_BYTES)
        options.set_max_background_jobs(2)
        options.set_disable_auto_compactions(True)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        table = rocksdict.BlockBasedOptions()
        table.set_bloom_filter(10.0, False)
        self._cache = rocksdict.Cache(cache_bytes)
        table.set_block_cache(self._cache)
        options.set_block_based_table_factory(table)
        self._db = rocksdict.Rdict(str(path), options)
        writes = rocksdict.WriteOptions()
        writes.sync = sync
        self._db.set_write_options(writes)
        self._new_batch: Any = rocksdict.WriteBatch
        self._cells = cells
        self._keys = {row: keys_of(cells, row) for row in cells.rows}

    def put(self, cells: Sequence[tuple[bytes, bytes]]) -> None:
        batch = self._new_batch(raw_mode=True)
        for key, value in cells:
            batch.put(key, value)
        self._db.write(batch)

    def get(self, row: bytes) -> int:
        if len(self._cells.shape) == 1:
            return int(self._db.get(self._keys[row][0]) is not None)
        start = row + _END
        found = self._db.items(from_key=start)
        return len(list(takewhile(lambda item: item[0].startswith(start), found)))

    def get_many(self, rows: Sequence[bytes]) -> int:
        keys = [key for row in rows for key in self._keys[row]]
        return len(self._db.get(keys))

    def scan(self) -> int:
        return len(list(self._db.items()))

    def flush(self) -> None:
        self._db.flush()

    def compact(self) -> None:
        self._db.compact_range(None, None)

    def drop_cache(self) -> None:
        """From now on blocks come from the page cache."""
        self._cache.set_capacity(1)

    def close(self) -> None:
        self._db.close()


class Lmdb:
    """py-lmdb."""

    name = "LMDB"

    def __init__(self, path: Path, cells: Cells, *, sync: bool) -> None:
        lmdb = importlib.import_module("lmdb")
        self._env = lmdb.open(
            str(path), map_size=_MAP_BYTES, sync=sync, metasync=sync, writemap=False
        )
        self._cells = cells
        self._keys = {row: keys_of(cells, row) for row in cells.rows}

    def put(self, cells: Sequence[tuple[bytes, bytes]]) -> None:
        with self._env.begin(write=True) as transaction, transaction.cursor() as cursor:
            cursor.putmulti(cells)

    def get(self, row: bytes) -> int:
        with self._env.begin(buffers=False) as transaction:
            if len(self._cells.shape) == 1:
                return int(transaction.get(self._keys[row][0]) is not None)
            start = row + _END
            with transaction.cursor() as cursor:
                cursor.set_range(start)
                found = takewhile(lambda item: item[0].startswith(start), cursor.iternext())
                return len(list(found))

    def get_many(self, rows: Sequence[bytes]) -> int:
        keys = [key for row in rows for key in self._keys[row]]
        with self._env.begin() as transaction, transaction.cursor() as cursor:
            return len(cursor.getmulti(keys))

    def scan(self) -> int:
        with self._env.begin() as transaction, transaction.cursor() as cursor:
            return len(list(cursor.iternext()))

    def close(self) -> None:
        self._env.close()


def installed() -> list[str]:
    """Names of the engines that this interpreter has (``pip install --group bench``)."""
    names = {"rocksdict": RocksDb.name, "lmdb": Lmdb.name}
    return [name for module, name in names.items() if importlib.util.find_spec(module)]
