"""``python -m raybase.testing failpoints``: for each of them a story in which somebody dies there.

Some stories tell first which failpoints there are and how often each is passed. Then, for each
of them, the story of the seed that passes it is told again, the same up to the moment when the
process that reaches it is killed: the first time, or half-way through all passes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .ambush import AmbushConfig
from .chaos import ChaosConfig
from .story import Outcome, StoryConfig, tell

_SEEDS: Final = 8
_CHAOS: Final = ChaosConfig(faults=4, kills_min=1, ambush=AmbushConfig(armed=0.0))


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Where to strike: the story of ``seed`` passes ``site`` ``passes`` times before."""

    site: str
    seed: int
    passes: int


def census(seeds: Iterable[int]) -> list[Failpoint]:
    """All failpoints that the stories pass, each in the story that passes it most."""
    most: dict[str, tuple[int, int]] = {}
    for seed in seeds:
        for site, count in told(seed, _CHAOS).passed.items():
            most[site] = max(most.get(site, (0, 0)), (count, seed))
    found = []
    for number, (site, (count, seed)) in enumerate(sorted(most.items())):
        found.append(Failpoint(site, seed, count // 2 if number % 2 else 0))
    return found


def told(seed: int, chaos: ChaosConfig) -> Outcome:
    return tell(seed, StoryConfig(chaos=chaos))


def strike(failpoint: Failpoint) -> Outcome:
    """The story in which a process is killed at the failpoint."""
    ambush = AmbushConfig(site=failpoint.site, passes=failpoint.passes)
    outcome = told(failpoint.seed, replace(_CHAOS, ambush=ambush))
    if outcome.struck != [failpoint.site]:
        outcome.problems.append(f"nobody was struck at {failpoint}")
    return outcome


def main(arguments: Sequence[str]) -> int:
    """The number of failpoints at which a death did harm."""
    parser = argparse.ArgumentParser(prog="python -m raybase.testing failpoints")
    parser.add_argument("sites", nargs="*", metavar="SITE", help="those with this in their names")
    parser.add_argument("--of", type=int, default=1, help="take one of so many parts")
    parser.add_argument("--turn", type=int, default=0, help="which part: any number")
    parser.add_argument("--seeds", type=int, default=_SEEDS, help="stories for the census")
    parser.add_argument("--census", action="store_true", help="only say which there are")
    asked = parser.parse_args(arguments)
    found = census(range(asked.seeds))
    if asked.census:
        print("\n".join(str(one) for one in found))
        return 0
    chosen = [one for one in found if _is_asked(one, asked.sites)][
        asked.turn % asked.of :: asked.of
    ]
    harm: Counter[str] = Counter()
    for failpoint in chosen:
        outcome = strike(failpoint)
        print(f"{failpoint.site}, pass {failpoint.passes + 1}: {outcome}", flush=True)
        for problem in outcome.problems:
            harm[failpoint.site] += 1
            print(f"  PROBLEM {problem}", flush=True)
    print(f"{len(chosen)} of {len(found)} failpoints, {len(harm)} at which a death did harm")
    return len(harm)


def _is_asked(failpoint: Failpoint, texts: Sequence[str]) -> bool:
    return not texts or any(text in failpoint.site for text in texts)
