"""The webtable: loading it in parallel processes, and checking every row of it."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.queues import Queue
from typing import Any

from ...operations import Put
from ..connection import Connection, connect
from .pages import Module, imports_of, read_page, shares

TABLE = "webtable"
_LOADERS = 4
_ROWS_A_BATCH = 50

Progress = Callable[[int], None]


def create(connection: Connection) -> None:
    """The table, with Bigtable's families."""
    families: dict[str, dict[str, int]] = {
        "anchor": {},
        "contents": {"max_versions": 3},
        "meta": {},
    }
    connection.admin.create_table(TABLE, families)


def load(address: str, modules: list[Module], progress: Progress) -> int:
    """Writes a row for each module and a column for each import, from several processes.

    Returns how many anchors were written.
    """
    context = multiprocessing.get_context("spawn")
    done: Queue[tuple[int, int] | str] = context.Queue()
    names = {one.name for one in modules}
    loaders = [
        context.Process(target=_load_share, args=(address, share, names, done), daemon=True)
        for share in shares(modules, _LOADERS)
    ]
    for loader in loaders:
        loader.start()
    left = len(modules)
    anchors = 0
    while left:
        message = done.get(timeout=120)
        if isinstance(message, str):
            raise RuntimeError(f"a loader failed: {message}")
        rows, more_anchors = message
        left -= rows
        anchors += more_anchors
        progress(rows)
    for loader in loaders:
        loader.join()
    return anchors


def _load_share(
    address: str, modules: list[Module], names: set[str], done: Queue[tuple[int, int] | str]
) -> None:
    try:
        with connect(address) as connection:
            table = connection.table(TABLE)
            for start in range(0, len(modules), _ROWS_A_BATCH):
                batch: list[Put] = []
                some = modules[start : start + _ROWS_A_BATCH]
                for module in some:
                    batch.extend(_puts_of(module, names))
                table.put_many(batch)
                done.put((len(some), len(batch) - len(some)))
    except Exception as error:
        done.put(f"{type(error).__name__}: {error}")
        raise


def _puts_of(module: Module, names: set[str]) -> list[Put]:
    page = read_page(module)
    row = (
        Put(page.name.encode())
        .add(b"contents", b"", page.source)
        .add(b"meta", b"size", str(len(page.source)).encode(), page.modified_ms)
        .add(b"meta", b"sha256", page.sha256.encode(), page.modified_ms)
        .add(b"meta", b"lines", str(page.lines).encode(), page.modified_ms)
    )
    puts = [row]
    seen = set()
    for imported, statement in imports_of(module, page.source):
        if imported in names and imported not in seen:
            seen.add(imported)
            anchor = Put(imported.encode())
            puts.append(anchor.add(b"anchor", module.name.encode(), statement.encode()))
    return puts


def check(
    connection: Connection, modules: list[Module], anchors_expected: int, progress: Progress
) -> list[str]:
    """Reads every row back; returns what is missing or wrong, in words."""
    wrong = []
    expected = {one.name.encode(): one for one in modules}
    anchors = 0
    for result in connection.table(TABLE).scan():
        anchors += len(result.family(b"anchor"))
        module = expected.pop(result.row, None)
        if module is None:
            wrong.append(f"row {result.row!r} was never written")
            continue
        source = result.get(b"contents:")
        stored = result.get(b"meta:sha256")
        on_disk = read_page(module)
        if source is None or stored is None:
            wrong.append(f"row {module.name} lacks its contents or its sha256")
        elif hashlib.sha256(source).hexdigest().encode() != stored:
            wrong.append(f"row {module.name}: contents do not match the stored sha256")
        elif source != on_disk.source:
            wrong.append(f"row {module.name}: contents are not the module's source")
        progress(1)
    wrong.extend(f"row {name.decode()} is missing" for name in expected)
    if anchors != anchors_expected:
        wrong.append(f"{anchors} anchors were found, {anchors_expected} were written")
    return wrong


def damage_cell(connection: Connection, modules: list[Module]) -> str:
    """Overwrites one page with other bytes; returns the row's name."""
    victim: Any = modules[len(modules) // 2]
    put = Put(victim.name.encode()).add(b"contents", b"", b"print('not this module')\n")
    connection.table(TABLE).put(put)
    return str(victim.name)
