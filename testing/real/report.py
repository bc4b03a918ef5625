"""What came of one run of chaos, as data and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from .plan import FaultKind, Planned


@dataclass(slots=True)
class Struck:
    """One fault. Times are seconds since the run began."""

    planned: Planned
    what: str
    began_s: float
    whole_s: float
    """When the cluster was whole again, or was not waited for."""
    outage_s: float = 0.0
    """The longest time for which a client waited for a row, until the next fault."""


@dataclass(slots=True)
class ChaosReport:
    """``violations`` must be empty."""

    seed: int
    faults: list[Struck] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    operations: int = 0
    reads: int = 0
    scans: int = 0
    took_s: float = 0.0
    whole_after_s: float = 0.0
    """From the last heal until all regions were open."""
    cells_checked: int = 0

    def missed(self, plan: Sequence[Planned]) -> list[str]:
        """What was planned more often than it happened."""
        wanted = Counter(plan)
        wanted.subtract(one.planned for one in self.faults)
        return [
            f"{planned.kind} {planned.procedure}: {count} of those planned did not happen"
            for planned, count in wanted.items()
            if count > 0
        ]

    def print(self, console: Console) -> None:
        console.print(self._faults())
        console.print(self._kinds())
        console.print(
            f"seed {self.seed}: {len(self.faults)} faults in {self.took_s:.0f} s; "
            f"{self.operations} operations, {self.reads} watched reads, {self.scans} scans; "
            f"all regions open {self.whole_after_s:.1f} s after the last heal; "
            f"fsck read {self.cells_checked} cells",
            highlight=False,
        )
        for one in self.violations:
            console.print(f"VIOLATION {one}", markup=False, highlight=False, soft_wrap=True)
        verdict = f"{len(self.violations)} violations" if self.violations else "no violations"
        console.print(verdict)

    def _faults(self) -> Table:
        table = Table(title="faults", title_justify="left")
        for column in ("at s", "fault", "what", "whole after s", "a row waited s"):
            table.add_column(column, overflow="fold")
        for one in self.faults:
            kind = one.planned.procedure or str(one.planned.kind)
            whole_s = f"{one.whole_s - one.began_s:.1f}"
            table.add_row(f"{one.began_s:.0f}", kind, one.what, whole_s, f"{one.outage_s:.1f}")
        return table

    def _kinds(self) -> Table:
        table = Table(title="kinds of faults", title_justify="left")
        for column in ("kind", "times", "a row waited, median s", "at most s"):
            table.add_column(column)
        for kind in FaultKind:
            outages = sorted(one.outage_s for one in self.faults if one.planned.kind is kind)
            if outages:
                median_s = f"{outages[len(outages) // 2]:.1f}"
                table.add_row(str(kind), str(len(outages)), median_s, f"{outages[-1]:.1f}")
        return table
