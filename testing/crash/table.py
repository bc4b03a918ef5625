"""``python -m raybase.testing images``: every scenario, as a table of call site x images."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from typing import Final

from rich.console import Console
from rich.table import Table

from .cluster_scenarios import CLUSTER_SCENARIOS
from .images import Row, Scenario, develop, failures
from .scenarios import REGION_SCENARIOS

_WIDTH: Final = 100
_LOG_WIDTH: Final = 160
SCENARIOS: Final[dict[str, Scenario]] = {
    one.name: one for one in (*REGION_SCENARIOS, *CLUSTER_SCENARIOS)
}


def rows_of(name: str, times: int = 1) -> list[Row]:
    """The rows of the scenario of this name; ``times`` as many seeds and copies as usual."""
    scenario = SCENARIOS[name]
    seeds = range(1, scenario.seeds * times + 1)
    return develop(scenario, seeds, scenario.copies * times, thorough=times > 1)


def rows_of_all(names: Iterable[str] = SCENARIOS, times: int = 1) -> dict[str, list[Row]]:
    """The rows of these scenarios, by name, on all processors."""
    # The longest first: those of whole clusters.
    ordered = sorted(names, key=list(SCENARIOS).index, reverse=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        rows = dict(zip(ordered, pool.map(rows_of, ordered, repeat(times)), strict=True))
    return {name: rows[name] for name in reversed(ordered)}


def wide_console() -> Console:
    """A console for tables that are wider than a pipe or a log is taken for."""
    console = Console()
    return console if console.is_terminal else Console(width=_LOG_WIDTH)


def rendered(rows: Iterable[Row]) -> Table:
    """The table, for a terminal."""
    table = Table("operation", "call site", "calls", "images", "problems")
    for column in table.columns[2:]:
        column.justify = "right"
    operation = ""
    for row in rows:
        if operation and row.operation != operation:
            table.add_section()
        shown = "" if row.operation == operation else row.operation
        operation = row.operation
        style = "bold red" if row.problems or not row.images else None
        figures = (f"{row.calls:,}", f"{row.images:,}", str(len(row.problems) or ""))
        table.add_row(shown, row.site, *figures, style=style)
    return table


def main(arguments: Sequence[str]) -> int:
    """The number of failures."""
    parser = argparse.ArgumentParser(prog="python -m raybase.testing images")
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help="of these only")
    parser.add_argument("--times", type=int, default=1, help="as many seeds and copies as usual")
    parser.add_argument("--sites", action="store_true", help="print the sites for expected.py")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.operations) - set(SCENARIOS):
        parser.error(f"no operation is called {unknown}: there are {', '.join(SCENARIOS)}")
    console = wide_console()
    began_s = time.perf_counter()
    by_name = rows_of_all(asked.operations or SCENARIOS, asked.times)
    if asked.sites:
        for name, found in by_name.items():
            _print_sites(name, found)
        return 0
    rows = [row for found in by_name.values() for row in found]
    wrong = list(failures(rows))
    console.print(rendered(rows))
    for line in wrong:
        console.print(f"PROBLEM {line}", style="red", markup=False, soft_wrap=True)
    took_s = time.perf_counter() - began_s
    images, calls = sum(row.images for row in rows), sum(row.calls for row in rows)
    console.print(
        f"{images:,} different images at {calls:,} calls of {len(rows)} rows, each reopened and "
        f"checked: {len(wrong)} problems, {took_s:.0f} s"
    )
    return len(wrong)


def _print_sites(name: str, rows: Iterable[Row]) -> None:
    by_caller: dict[str, list[str]] = {}
    for row in rows:
        if row.calls:
            caller, _, call = row.site.partition(": ")
            by_caller.setdefault(caller, []).append(call)
    print(f'    "{name}": _sites(\n        """')
    for caller, calls in by_caller.items():
        prefix = f"        {caller}:"
        line = prefix
        for call in calls:
            if len(line) + len(call) >= _WIDTH:
                print(line)
                line = prefix
            line += f" {call}"
        print(line)
    print('        """\n    ),')
