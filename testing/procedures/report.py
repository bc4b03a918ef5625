"""``python -m raybase.testing procedures``: masters killed round every update of every scenario."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from .kills import plans, problems, run
from .scenarios import SCENARIOS


def main(arguments: Sequence[str]) -> int:
    """The number of problems."""
    parser = argparse.ArgumentParser(prog="python -m raybase.testing procedures")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these scenarios only")
    parser.add_argument(
        "--seconds",
        type=int,
        nargs="*",
        default=(),
        metavar="UPDATE",
        help="kill the next master, too, at each of these updates of its own",
    )
    asked = parser.parse_args(arguments)
    if unknown := [one for one in asked.names if one not in SCENARIOS]:
        parser.error(f"no scenario is called {unknown}: there are {', '.join(SCENARIOS)}")
    table = Table("scenario", "kind", "updates", "runs", "problems")
    found: list[str] = []
    for name in asked.names or SCENARIOS:
        updates = run(SCENARIOS[name], ()).updates
        runs = len(list(plans(updates, seconds=asked.seconds)))
        here = list(problems(name, seconds=asked.seconds))
        table.add_row(name, SCENARIOS[name].kind, str(updates), str(runs), str(len(here)))
        found += here
    console = Console()
    console.print(table)
    for one in found:
        console.print(f"PROBLEM {one}", markup=False, soft_wrap=True)
    return len(found)
