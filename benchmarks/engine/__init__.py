"""The storage engine alone: its budget, on one core, beside RocksDB and LMDB."""

from __future__ import annotations

from ..lab import Lab
from ..report import Figure
from ..settings import Settings
from . import beside, large, timer


def measure(settings: Settings, lab: Lab) -> list[Figure]:
    figures = beside.measure(settings, lab)
    with beside.one_core():
        figures += large.measure(settings, lab)
    return figures + timer.measure(settings, lab)


__all__ = ["beside", "large", "measure", "timer"]
