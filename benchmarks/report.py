"""Figures, and how they are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .timing import quantile

_SCALES = {"us": 1e6, "ms": 1e3, "s": 1.0}


@dataclass(frozen=True)
class Figure:
    """One measured operation beside what it may cost."""

    operation: str
    unit: str
    """``us``, ``ms`` or ``s``, or what else is counted."""
    budget: float | None
    """None: told for comparison only."""
    judged: float
    """What stands against the budget: the median, unless ``quantile`` says otherwise."""
    quantile: float
    median: float
    p99: float | None
    """None: too few samples."""
    samples: int
    note: str = ""
    beside: Mapping[str, float] = field(default_factory=dict)
    """What other engines take for the same, by name, in the same unit."""

    @property
    def ratio(self) -> float | None:
        return None if self.budget is None else self.judged / self.budget

    def columns(self) -> tuple[str, ...]:
        """As a line of the table."""
        return (
            self.operation,
            self.unit,
            "" if self.budget is None else number(self.budget),
            number(self.judged),
            "median" if self.quantile == 0.5 else f"p{100 * self.quantile:.0f}",
            number(self.median),
            "" if self.p99 is None else number(self.p99),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            str(self.samples),
        )


def figure(
    operation: str,
    unit: str,
    budget: float | None,
    times_s: Sequence[float],
    *,
    per: int = 1,
    judge: float = 0.5,
    note: str = "",
    beside: Mapping[str, float] | None = None,
) -> Figure:
    """A figure of samples in seconds; ``per`` is how many operations a sample has.

    ``beside`` is in ``unit`` already.
    """
    scale = _SCALES[unit] / per
    return Figure(
        operation,
        unit,
        budget,
        quantile(times_s, judge) * scale,
        judge,
        quantile(times_s, 0.5) * scale,
        quantile(times_s, 0.99) * scale if len(times_s) >= 20 else None,
        len(times_s),
        note,
        beside or {},
    )


class Report:
    """Collects figures and shows each as it comes, and all of them at the end."""

    def __init__(self, console: Console, machine: Mapping[str, str]) -> None:
        self.console = console
        self.machine = machine
        self.figures: list[Figure] = []

    def show_machine(self) -> None:
        for name, text in self.machine.items():
            self.console.print(f"{name:>9}  {text}", highlight=False, soft_wrap=True)

    def add(self, figures: Sequence[Figure]) -> None:
        for one in figures:
            self.figures.append(one)
            budget = "" if one.budget is None else f", budget {number(one.budget)}"
            note = f" [dim]({one.note})[/dim]" if one.note else ""
            others = "".join(f"; {name} {number(what)}" for name, what in one.beside.items())
            self.console.print(
                f"  {one.operation}: {number(one.judged)} {one.unit}{budget}{others}{note}",
                highlight=False,
                soft_wrap=True,
            )

    def show_table(self) -> None:
        table = Table(title="beside the budget", title_justify="left")
        table.add_column("operation", min_width=30)
        for name in ("unit", "budget", "measured", "which is", "median", "p99", "ratio", "samples"):
            table.add_column(name, justify="right", no_wrap=True)
        for one in self.figures:
            table.add_row(*one.columns(), style="red" if (one.ratio or 0) > 1 else None)
        self.console.print(table)
        self._show_others()

    def _show_others(self) -> None:
        """A table of raybase beside other engines; nothing if none was asked."""
        names = list(dict.fromkeys(name for one in self.figures for name in one.beside))
        if not names:
            return
        table = Table(title="beside other engines", title_justify="left")
        table.add_column("operation", min_width=30)
        for name in ("unit", "raybase", *(part for one in names for part in (one, "times"))):
            table.add_column(name, justify="right", no_wrap=True)
        for one in self.figures:
            if one.beside:
                parts = [one.operation, one.unit, number(one.judged)]
                for name in names:
                    other = one.beside.get(name)
                    parts += [number(other), number(one.judged / other)] if other else ["", ""]
                table.add_row(*parts)
        self.console.print(table)

    def write_markdown(self, path: Path) -> None:
        """The figures as a table for docs/performance.md."""
        names = list(dict.fromkeys(name for one in self.figures for name in one.beside))
        head = ["operation", "budget", "raybase", "ratio", *names]
        lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for one in self.figures:
            budget = "" if one.budget is None else f"{number(one.budget)} {one.unit}"
            ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
            measured = f"{number(one.judged)} {one.unit}"
            if (one.ratio or 0) > 1:
                measured = f"**{measured}**"
            others = [
                f"{number(one.beside[name])} ({one.judged / one.beside[name]:.1f} times)"
                if name in one.beside
                else ""
                for name in names
            ]
            lines.append(
                "| " + " | ".join([one.operation, budget, measured, ratio, *others]) + " |"
            )
        path.write_text("\n".join(lines) + "\n")

    def write_json(self, path: Path) -> None:
        """Machine and figures, for comparing runs."""
        figures = [{**asdict(one), "ratio": one.ratio} for one in self.figures]
        text = json.dumps({"machine": dict(self.machine), "figures": figures}, indent=2)
        path.write_text(text + "\n")


def number(value: float) -> str:
    """Three digits, without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
