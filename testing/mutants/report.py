"""``python -m raybase.testing mutants``: which deliberate bugs are found, by what, how fast."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from ..crash.table import wide_console
from ..loop import DeadlockError, VirtualTimeoutError
from . import MUTANTS
from .checks import CHECKS, Check
from .mutant import Mutant

_PROBLEM_WIDTH: Final = 70
"""Of what a problem says, so much stands in the table."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check said."""

    problem: str
    """"": it found nothing."""
    took_s: float


def verdict_of(check: Check) -> Verdict:
    """Runs a check; whatever breaks under it counts as found."""
    began_s = time.perf_counter()
    try:
        problem = check()
    except (Exception, DeadlockError, VirtualTimeoutError) as error:
        problem = f"it broke off: {error!r}"
    return Verdict(problem, time.perf_counter() - began_s)


def hunt(mutant: Mutant) -> Verdict:
    """Runs the mutant's check with the bug switched on."""
    with mutant.applied():
        return verdict_of(CHECKS[mutant.found_by])


def share(turn: int, of: int) -> list[Mutant]:
    """One of ``of`` parts of all mutants; every one has its turn in ``of`` turns."""
    return [one for number, one in enumerate(MUTANTS.values()) if number % of == turn % of]


def main(arguments: Sequence[str]) -> int:
    """The number of mutants that survive, and of checks that fail without one."""
    parser = argparse.ArgumentParser(prog="python -m raybase.testing mutants")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these only")
    parser.add_argument("--of", type=int, default=1, help="take one of so many parts")
    parser.add_argument("--turn", type=int, default=0, help="which part: any number")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(MUTANTS):
        parser.error(f"no mutant is called {unknown}: there are {', '.join(MUTANTS)}")
    chosen = [MUTANTS[name] for name in asked.names] or share(asked.turn, asked.of)
    console = wide_console()
    table = Table("mutant", "check", "seconds", "found")
    for column in table.columns:
        column.no_wrap = True
    table.add_column("by", no_wrap=True)
    survivors = 0
    for mutant in chosen:
        found = hunt(mutant)
        survivors += not found.problem
        style = None if found.problem else "bold red"
        cells = (mutant.name, mutant.found_by, f"{found.took_s:.1f}")
        table.add_row(
            *cells, "yes" if found.problem else "NO", found.problem[:_PROBLEM_WIDTH], style=style
        )
    console.print(table)
    return survivors + _control(chosen, console)


def _control(chosen: Sequence[Mutant], console: Console) -> int:
    """Every check that was used must find nothing in the product as it is."""
    failed = 0
    for name in dict.fromkeys(mutant.found_by for mutant in chosen):
        verdict = verdict_of(CHECKS[name])
        failed += bool(verdict.problem)
        what = f"finds without a mutant: {verdict.problem}" if verdict.problem else "finds nothing"
        text = f"control: {name!r} {what}, {verdict.took_s:.1f} s"
        console.print(text, markup=False, soft_wrap=True)
    return failed
