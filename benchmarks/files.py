"""What becomes of memstores and files: flush and compaction, inside the engine."""

from __future__ import annotations

from .engine import Engine
from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import quiet_collector

CELL_US = 2.0
FILES = 4


def flush_and_compaction(settings: Settings, _: Lab) -> list[Figure]:
    flushes, compactions = [], []
    cells = settings.some(100_000, 20_000)
    for _round in range(settings.some(5, 2)):
        engine = Engine(cells)
        with quiet_collector():
            for _file in range(FILES):
                engine.load()
                flushes.append(engine.flush())
            compactions.append(engine.compact())
    note = f"{cells} cells of 100 bytes, from memstore to the bytes of a file"
    merge = f"major, {FILES} files with {cells} cells each of the same rows"
    return [
        figure("flush, a cell", "us", CELL_US, flushes, note=note),
        figure("compaction, a cell of the inputs", "us", CELL_US, compactions, note=merge),
    ]
