"""What a run of the benchmarks is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """``root`` is a directory for all files; ``quick`` trades certainty for time;
    ``table_rows`` is the size of the large table."""

    root: Path
    quick: bool
    table_rows: int

    def some(self, many: int, few: int) -> int:
        """How often to repeat something."""
        return few if self.quick else many
