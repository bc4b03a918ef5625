"""Lying in wait at failpoints: a process is struck at a chosen step of what it is doing.

Failpoints (``SimProcess.failpoint``) lie before and after everything that others can see of a
process: every change of a file, every control call and its answer, every job handed out. Each
has a name, ``module.function: operation/effect``. A seed arms a few of all there are, each with
the same chance however seldom it is passed, so rare steps are struck as often as common ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from .process import SimProcess
from .simulation import Simulation

_LET_PASS: Final = (0, 0, 0, 1, 2, 5, 20)
_LONG_S: Final = (7.0, 11.0)
"""Past the end of a session: what stood still comes back as a zombie."""


@dataclass(frozen=True, slots=True)
class AmbushConfig:
    """Who is struck where."""

    armed: float = 0.03
    """The share of failpoints at which somebody lies in wait."""
    strikes_max: int = 4
    gap_s: float = 0.8
    """Between two strikes, so that something gets done."""
    site: str = ""
    """Strike at this failpoint only, and kill: for going through all of them."""
    passes: int = 0
    """How often ``site`` is passed before."""


class Ambush:
    """Strikes from ``start`` to ``stop``.

    Args:
        simulation: whose processes are struck.
        config: how often.
        note: is told of every strike, and until when it lasts.
    """

    def __init__(
        self,
        simulation: Simulation,
        config: AmbushConfig,
        note: Callable[[str, float], None],
    ) -> None:
        self._simulation = simulation
        self._config = config
        self._note = note
        self._chance = simulation.world.stream("ambush")
        self._let_pass: dict[str, int] = {}
        self._not_before_s = 0.0
        self.passed: Counter[str] = Counter()
        self.struck: list[str] = []
        """The failpoints, in order."""

    def start(self) -> None:
        self._simulation.world.on_failpoint = self._reached

    def stop(self) -> None:
        self._simulation.world.on_failpoint = None

    def _reached(self, process: SimProcess, site: str) -> None:
        self.passed[site] += 1
        if len(self.struck) >= self._config.strikes_max or not self._is_due(site):
            return
        now_s = self._simulation.now_s
        if now_s >= self._not_before_s:
            self._not_before_s = now_s + self._config.gap_s
            self._let_pass[site] = -1
            self.struck.append(site)
            self._strike(process, site)

    def _is_due(self, site: str) -> bool:
        if self._config.site:
            return site == self._config.site and self.passed[site] == self._config.passes + 1
        if site not in self._let_pass:
            # Chance of its own: what one seed arms does not depend on what is passed first.
            chance = Random(f"{self._simulation.seed}/{site}")
            armed = chance.random() < self._config.armed
            self._let_pass[site] = chance.choice(_LET_PASS) if armed else -1
        left = self._let_pass[site]
        if left > 0:
            self._let_pass[site] = left - 1
        return left == 0

    def _strike(self, process: SimProcess, site: str) -> None:
        simulation, chance = self._simulation, self._chance
        is_job = simulation.process(process.name) is not process
        fate = 0.0 if is_job or self._config.site else chance.random()
        if fate < 0.6:
            assert process.die is not None
            process.die()
            simulation.counts["kills"] += 1
            self._note(f"kill {process.name} at {site}", 0.0)
        elif fate < 0.85:
            duration_s = chance.uniform(*_LONG_S)
            simulation.pause(process.name, duration_s)
            self._note(f"pause {process.name} for {duration_s:.1f} s at {site}", duration_s)
        else:
            simulation.report_dead(process.name)
            self._note(f"report {process.name} dead at {site}", 0.0)
