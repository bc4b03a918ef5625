"""Where regions go: a place for one, and moves that make the cluster cost less. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..config import BalancerConfig
from ..model import ServerName, TableName
from .assignment import RegionNode
from .cluster_load import ClusterLoad
from .cost_functions import CostFunction, Steps, cost_functions

Counts = Mapping[ServerName, Mapping[TableName, int]]
"""Regions at each live server, by table."""

_PAIRS_MAX: Final = 20_000
"""Exchanges looked at together; of more there are, a sample."""
_GAIN_MIN: Final = 1e-6
"""A step that gains less is rounding."""
_SLOP: Final = 0.001
"""hbase.regions.slop: a server with so many more or fewer regions than the average, and with
more than rounding explains, has the cluster balanced however little it costs."""


@dataclass(frozen=True, slots=True)
class RegionMove:
    """A move the balancer wants, and its reason in words."""

    node: RegionNode
    source: ServerName
    target: ServerName
    reason: str

    def __str__(self) -> str:
        return f"{self.node.info}: {self.source} to {self.target}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the balancer found; ``moves`` is empty if it is best to leave things as they are.

    Costs are the weighted means of all cost functions, from 0 to 1; ``why`` says, in words,
    what came of it.
    """

    moves: tuple[RegionMove, ...]
    cost_before: float
    cost_after: float
    functions_before: str
    functions_after: str
    steps: int
    why: str


def place(table: TableName, counts: Counts) -> ServerName:
    """The server with fewest regions of the table, then fewest in all, then by name.

    Requires: there is a server.
    """
    return min(
        counts,
        key=lambda server: (counts[server].get(table, 0), sum(counts[server].values()), server),
    )


class BalancerSearch:
    """Looks for moves that lower the cost of the cluster, the best one first.

    A step moves a region, or, when no move helps, exchanges two; each lowers the cost, that
    of moving included, so that any beginning of the plan is worth making. It ends where no step
    helps, so that a cluster that is as planned is left alone. The same load and seed give the
    same plan; the seed orders what is equal. Source: StochasticLoadBalancer.java, whose
    candidates are drawn at random one by one.

    ``step`` is called until it is false, with other work in between; then ``plan`` has the
    result.
    """

    def __init__(self, load: ClusterLoad, config: BalancerConfig, seed: int) -> None:
        self._load = load
        self._config = config
        self._chance = np.random.default_rng(seed)
        self._at = np.asarray([one.server for one in load.regions], np.int64)
        self._counts = np.asarray(load.counts(), np.int64)
        self._reasons: dict[int, str] = {}
        self._steps = 0
        movable = [index for index, one in enumerate(load.regions) if one.movable]
        self._movable = self._chance.permutation(np.asarray(movable, np.int64))
        self._order = self._chance.permutation(len(load.servers))
        self._functions: list[CostFunction] = []
        if len(load.servers) > 1 and len(movable):
            self._functions = cost_functions(load, config.moves_max)
        self._before = self._cost()
        self._described = self._describe()
        self._refusal = self._why_not()

    def step(self) -> bool:
        """Takes the best step there is; false if it has come to its end."""
        if self._refusal or len(self._reasons) + 2 > self._config.moves_max:
            return False
        taken = self._take_best(self._moves()) or self._take_best(self._exchanges())
        self._steps += taken
        return taken

    def plan(self) -> Plan:
        """What was found; nothing if all of it together is not worth the trouble."""
        load, after = self._load, self._cost()
        moves = tuple(
            RegionMove(
                load.regions[region].node,
                load.servers[load.regions[region].server].name,
                load.servers[self._at[region]].name,
                reason,
            )
            for region, reason in self._reasons.items()
            if self._at[region] != load.regions[region].server
        )
        why = self._refusal
        if not why and not moves:
            why = f"no move lowers the cost of {self._before:.4f}"
        elif not why and self._before - after < self._config.gain_min:
            gain = f"from {self._before:.4f} to {after:.4f}"
            why = f"{len(moves)} moves would lower the cost {gain}, which is not worth it"
        if why:
            moves, after = (), self._before
        else:
            why = f"{len(moves)} moves lower the cost from {self._before:.4f} to {after:.4f}"
        described = self._describe() if moves else self._described
        return Plan(moves, self._before, after, self._described, described, self._steps, why)

    # -- what it looks at ------------------------------------------------------------------

    def _why_not(self) -> str:
        if len(self._load.servers) < 2:
            return "there are not two servers to choose from"
        if not self._functions:
            return "no region can be moved now"
        if self._before < self._config.cost_min and not self._is_sloppy():
            return f"the cost of {self._before:.4f} is below {self._config.cost_min}"
        return ""

    def _is_sloppy(self) -> bool:
        average = self._counts.mean()
        high, low = np.ceil(average * (1 + _SLOP)), np.floor(average * (1 - _SLOP))
        return bool(self._counts.max() > high or self._counts.min() < low)

    def _moves(self) -> Steps:
        """Every movable region to every other server that takes regions."""
        targets = self._order[~self._full()[self._order]]
        moved = np.repeat(self._movable, len(targets))
        target = np.tile(targets, len(self._movable))
        source = self._at[moved]
        elsewhere = source != target
        moved, source, target = moved[elsewhere], source[elsewhere], target[elsewhere]
        return Steps(moved, source, target, np.full(len(moved), -1, np.int64))

    def _exchanges(self) -> Steps:
        """Pairs of movable regions at different servers: all, or a sample if there are many."""
        free = self._movable[~self._full()[self._at[self._movable]]]
        count = len(free)
        if count * (count - 1) // 2 <= _PAIRS_MAX:
            one, other = np.triu_indices(count, 1)
        else:
            one, other = self._chance.integers(0, count, (2, _PAIRS_MAX))
        moved, back = free[one], free[other]
        source, target = self._at[moved], self._at[back]
        apart = source != target
        return Steps(moved[apart], source[apart], target[apart], back[apart])

    def _full(self) -> npt.NDArray[np.bool_]:
        """Servers that take nothing: what is to leave one has not left it yet."""
        return np.maximum(self._counts, self._load.counts()) >= self._load.regions_max

    # -- taking a step ---------------------------------------------------------------------

    def _take_best(self, steps: Steps) -> bool:
        if not len(steps):
            return False
        weighted = [one.weight * one.after(steps) for one in self._functions]
        costs = np.sum(weighted, axis=0) / self._weights()
        best = int(np.argmin(costs))
        if costs[best] > self._cost() - _GAIN_MIN:
            return False
        self._take(steps.only(best))
        return True

    def _take(self, step: Steps) -> None:
        reason = self._reason(step)
        for function in self._functions:
            function.take(step)
        moved, source, target = int(step.moved[0]), int(step.source[0]), int(step.target[0])
        self._put(moved, target, reason)
        if step.back[0] >= 0:
            self._put(int(step.back[0]), source, reason)

    def _put(self, region: int, server: int, reason: str) -> None:
        self._counts[self._at[region]] -= 1
        self._counts[server] += 1
        self._at[region] = server
        self._reasons[region] = reason

    def _reason(self, step: Steps) -> str:
        """The cost that falls most by the step, from what to what."""
        falls = [
            (one.weight * (one.cost - float(one.after(step)[0])), one) for one in self._functions
        ]
        _, function = max(falls, key=lambda fall: fall[0])
        after = float(function.after(step)[0])
        return (
            f"{function.name} falls from {function.cost:.3f} to {after:.3f} "
            f"({function.explain(step)})"
        )

    def _weights(self) -> float:
        return sum(one.weight for one in self._functions)

    def _cost(self) -> float:
        if not self._functions:
            return 0.0
        return sum(one.weight * one.cost for one in self._functions) / self._weights()

    def _describe(self) -> str:
        return "; ".join(
            f"{one.name} {one.cost:.4f} (weight {one.weight:g})" for one in self._functions
        )
