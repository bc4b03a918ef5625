"""``python -m raybase.testing SEED...``: tells the story of each seed, and how it ended.

``images``: the table of crash images. ``mutants``: whether every deliberate bug is found.
``golden``: the order of file-system calls. ``procedures``: masters killed at every store update.
``failpoints``: a death at every step. ``chaos``: a real Ray cluster, broken for minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from dataclasses import dataclass, field

from . import failpoints
from .crash import golden, table
from .mutants import MUTANTS, report
from .procedures import report as procedures
from .story import Outcome, Story, rates


def main() -> int:
    """0 if there was no problem."""
    commands = {
        "images": table.main,
        "mutants": report.main,
        "golden": golden.main,
        "procedures": procedures.main,
        "failpoints": failpoints.main,
    }
    if sys.argv[1:2] == ["chaos"]:
        from .real.main import main as chaos  # Imports Ray, which takes a second.

        return chaos(sys.argv[2:])
    if sys.argv[1:2] and sys.argv[1] in commands:
        return min(commands[sys.argv[1]](sys.argv[2:]), 1)
    return min(_tell(), 1)


def _tell() -> int:
    """The number of seeds with problems."""
    parser = argparse.ArgumentParser(prog="python -m raybase.testing", description=__doc__)
    parser.add_argument("seeds", nargs="+", metavar="SEED", help="a number, or FIRST-LAST")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="switch this bug on")
    parser.add_argument("--trace", type=int, default=0, metavar="LINES", help="show the last")
    arguments = parser.parse_args()
    bad, told, began = 0, Total(), time.perf_counter()
    for seed in [seed for text in arguments.seeds for seed in _numbers(text)]:
        mutant = MUTANTS[arguments.mutant].applied() if arguments.mutant else None
        with mutant or contextlib.nullcontext():
            began_s = time.perf_counter()
            story = Story(seed)
            outcome = story.tell()
        took_s = time.perf_counter() - began_s
        print(f"{outcome}, {took_s:.1f} s, trace {outcome.digest}", flush=True)
        told.add(outcome)
        if outcome.problems:
            bad += 1
            print("\n".join(f"  {one}" for one in outcome.faults))
            print("\n".join(f"  PROBLEM {one}" for one in outcome.problems))
        if arguments.trace:
            print("\n".join(story.simulation.trace[-arguments.trace :]))
    if told.seeds > 1:
        print(told.describe(time.perf_counter() - began))
    return bad


@dataclass(slots=True)
class Total:
    """What came of all seeds."""

    seeds: int = 0
    operations: int = 0
    faults: int = 0
    kills: int = 0
    struck: dict[str, None] = field(default_factory=dict)
    virtual_s: float = 0.0
    problems: int = 0

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.operations += outcome.counts["operations"]
        self.faults += outcome.faults_count
        self.kills += outcome.counts["kills"]
        self.struck.update(dict.fromkeys(outcome.struck))
        self.virtual_s += outcome.virtual_s
        self.problems += len(outcome.problems)

    def describe(self, took_s: float) -> str:
        return (
            f"{self.seeds} seeds: {self.problems} problems; "
            f"{rates(self.operations, self.virtual_s)} operations, "
            f"{rates(self.faults, self.virtual_s)} faults, {self.kills} kills, "
            f"{len(self.struck)} different failpoints in {self.virtual_s:.0f} s virtual; "
            f"{took_s:.0f} s real, {rates(self.operations, took_s)} operations and "
            f"{rates(self.faults, took_s)} faults"
        )


def _numbers(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
