"""The checks that mutants must not pass: each says what is wrong first, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from .. import availability
from ..coordination.story import tell as sessions_of
from ..crash import damage, errors, golden, hints, zombie
from ..crash.images import Scenario
from ..crash.table import SCENARIOS
from ..procedures import beside, kills, stale_master
from ..procedures.scenarios import SCENARIOS as KILL_SCENARIOS
from ..story import tell
from .availability import CHANGING_HANDS
from .cluster import STORIES
from .failover import FAILOVER_CHECKS
from .sessions import SESSIONS

Check = Callable[[], str]
"""Returns the first problem it meets; "" if all is well."""

_SEEDS: Final = range(50)
_SESSION_SEEDS: Final = range(8)
_IMAGE_SEEDS: Final = range(1, 4)
_COPIES: Final = 4


def _first(problems: Iterator[str]) -> str:
    return next(problems, "")


def _images(scenario: Scenario) -> Iterator[str]:
    for seed in _IMAGE_SEEDS:
        camera = scenario.shoot(seed, _COPIES)
        for number, image in enumerate(camera.images):
            for problem in scenario.reopen(image, 1_000_000 + seed * 10_000 + number):
                yield f"seed {seed}, before {image.call!r}: {problem}"


def _errors(fault: errors.Fault) -> Iterator[str]:
    for outcome in errors.outcomes(fault):
        for problem in outcome.problems:
            yield f"call {outcome.number}, {outcome.call!r}: {problem}"


def _stories() -> Iterator[str]:
    for seed in _SEEDS:
        for problem in tell(seed).problems:
            yield f"seed {seed}: {problem}"


def _sessions() -> Iterator[str]:
    for seed in _SESSION_SEEDS:
        for problem in sessions_of(seed).problems:
            yield f"seed {seed}: {problem}"


def _check(problems: Callable[[], Iterator[str]]) -> Check:
    return lambda: _first(problems())


def _damage(kind: str) -> Iterator[str]:
    return damage.problems(damage.specimens()[kind])


CHECKS: Final[dict[str, Check]] = {
    **{f"images: {name}": _check(partial(_images, one)) for name, one in SCENARIOS.items()},
    **{f"errors: {one}": _check(partial(_errors, one)) for one in errors.Fault},
    **{f"damage: {one}": _check(partial(_damage, one)) for one in damage.specimens()},
    **{f"golden list: {one}": _check(partial(golden.differences, one)) for one in golden.LISTS},
    "a zombie writes": zombie.first_problem,
    "filters that seek": _check(hints.problems),
    **{f"killed masters: {name}": _check(partial(kills.problems, name)) for name in KILL_SCENARIOS},
    "procedures at once": _check(beside.problems),
    "a stale master writes": _check(stale_master.problems),
    CHANGING_HANDS: availability.first_problem,
    STORIES: _check(_stories),
    **FAILOVER_CHECKS,
    SESSIONS: _check(_sessions),
}
