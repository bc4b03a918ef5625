"""What an uneven cluster costs: each function a number from 0 (as good as can be) to 1.

The functions and their weights are StochasticLoadBalancer's, of its costs for clusters without
replicas of regions and without racks: skew of region counts, of each table's, of requests, of
memory and of files, bytes of files that are not at hand, and the moves themselves. Pure; many
possible steps are judged at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from .cluster_load import ClusterLoad

Floats = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.int64]

REGION_COUNT_SKEW: Final = 500.0
SERVER_LOCALITY: Final = 25.0
TABLE_SKEW: Final = 35.0
LOAD: Final = 5.0
"""Of reads, writes, memstores and store files each."""
MOVE: Final = 7.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Possible steps, one each position: region ``moved`` goes from ``source`` to ``target``,
    and region ``back``, if it is not -1, the other way."""

    moved: Indexes
    source: Indexes
    target: Indexes
    back: Indexes

    def __len__(self) -> int:
        return len(self.moved)

    def only(self, index: int) -> Steps:
        """The step at ``index`` alone."""
        chosen = slice(index, index + 1)
        return Steps(
            self.moved[chosen], self.source[chosen], self.target[chosen], self.back[chosen]
        )


class CostFunction(Protocol):
    """One cost of the cluster as it would be, kept as steps are taken."""

    name: str
    weight: float
    cost: float
    """Now."""

    def after(self, steps: Steps) -> Floats:
        """What it would be after each of the steps."""
        ...

    def take(self, step: Steps) -> None:
        """The step, one alone, is taken."""
        ...

    def explain(self, step: Steps) -> str:
        """The figures at source and target that it comes from, before the step."""
        ...


class SkewCost:
    """How unevenly something is spread over servers, as the standard deviation from the mean.

    1 is all of it at one server. ``values`` are the regions' shares; with ``groups`` each
    group of regions is spread by itself, and the cost is the mean of theirs. What is counted
    in whole regions is at 0 when no spread is more even. Source: DoubleArrayCost.java.
    """

    def __init__(
        self,
        name: str,
        weight: float,
        unit: str,
        load: ClusterLoad,
        values: Sequence[float],
        groups: Sequence[str] | None = None,
        *,
        whole: bool = False,
    ) -> None:
        self.name = name
        self.weight = weight
        self._unit = unit
        self._servers = load.servers
        self._group_names = list(dict.fromkeys(groups or [""])) or [""]
        number = {one: index for index, one in enumerate(self._group_names)}
        self._values = np.asarray(values, np.float64)
        self._groups = np.asarray([number[one] for one in groups or [""] * len(values)], np.int64)
        self._loads = np.zeros((len(self._group_names), len(load.servers)))
        at = np.asarray([one.server for one in load.regions], np.int64)
        np.add.at(self._loads, (self._groups, at), self._values)
        self._squares = np.square(self._loads - self._loads.mean(axis=1, keepdims=True)).sum(axis=1)
        totals = self._loads.sum(axis=1)
        self._low = _least_skew(totals, len(load.servers)) if whole else np.zeros(len(totals))
        self._high = _most_skew(totals, len(load.servers))
        self._costs = self._scaled(self._squares, np.arange(len(totals)))
        self.cost = float(self._costs.mean())

    def _scaled(self, squares: Floats, groups: Indexes) -> Floats:
        low, high = self._low[groups], self._high[groups]
        room = high - low
        skew = np.sqrt(np.maximum(squares, 0.0)) - low
        scaled = np.divide(skew, room, out=np.zeros_like(skew), where=room > 1e-12)
        clipped: Floats = np.clip(scaled, 0.0, 1.0)
        return clipped

    def _changes(self, steps: Steps) -> tuple[Indexes, Floats, Indexes, Floats]:
        """(group, its new sum of squares) by what moves, and by what comes back instead."""
        forth, back = self._groups[steps.moved], self._groups[steps.back]
        there_and_back = steps.back >= 0
        returned = np.where(there_and_back, self._values[steps.back], 0.0)
        together = there_and_back & (forth == back)
        gone = self._values[steps.moved] - np.where(together, returned, 0.0)
        first = self._moved(forth, gone, steps.source, steps.target)
        apart = np.where(together, 0.0, returned)
        second = self._moved(back, apart, steps.target, steps.source)
        return forth, first, back, second

    def _moved(self, groups: Indexes, amount: Floats, source: Indexes, target: Indexes) -> Floats:
        between = self._loads[groups, target] - self._loads[groups, source]
        moved: Floats = self._squares[groups] + 2.0 * amount * (amount + between)
        return moved

    def after(self, steps: Steps) -> Floats:
        forth, first, back, second = self._changes(steps)
        change = self._scaled(first, forth) - self._costs[forth]
        apart = (steps.back >= 0) & (forth != back)
        change += np.where(apart, self._scaled(second, back) - self._costs[back], 0.0)
        return self.cost + change / len(self._costs)

    def take(self, step: Steps) -> None:
        for region, source, target in _single_moves(step):
            group, value = self._groups[region], self._values[region]
            self._loads[group, source] -= value
            self._loads[group, target] += value
            spread = self._loads[group] - self._loads[group].mean()
            self._squares[group] = np.square(spread).sum()
            one = np.asarray([group])
            self._costs[group] = self._scaled(self._squares[one], one)[0]
        self.cost = float(self._costs.mean())

    def explain(self, step: Steps) -> str:
        region, source, target = next(iter(_single_moves(step)))
        group = self._groups[region]
        unit = f"{self._unit} {self._group_names[group]}".rstrip()
        loads = self._loads[group]
        return (
            f"{self._servers[source].name} has {loads[source]:.0f} {unit}, "
            f"{self._servers[target].name} {loads[target]:.0f}"
        )


class PlaceCost:
    """A sum over regions, each of which costs something at each server.

    ``penalties[region, server]`` are parts of 1.
    """

    def __init__(
        self, name: str, weight: float, why: str, load: ClusterLoad, penalties: Floats
    ) -> None:
        self.name = name
        self.weight = weight
        self._why = why
        self._penalties = penalties
        at = np.asarray([one.server for one in load.regions], np.int64)
        self.cost = float(penalties[np.arange(len(at)), at].sum())

    def after(self, steps: Steps) -> Floats:
        change = (
            self._penalties[steps.moved, steps.target] - self._penalties[steps.moved, steps.source]
        )
        returned = (
            self._penalties[steps.back, steps.source] - self._penalties[steps.back, steps.target]
        )
        return self.cost + change + np.where(steps.back >= 0, returned, 0.0)

    def take(self, step: Steps) -> None:
        self.cost = float(self.after(step)[0])

    def explain(self, step: Steps) -> str:
        return self._why


def cost_functions(load: ClusterLoad, moves_max: int) -> list[CostFunction]:
    """All of them, for a cluster with servers and regions. The moves are scaled by how many
    there may be."""
    regions = load.regions
    ones = [1.0] * len(regions)
    tables = [str(one.table) for one in regions]

    def skew(name: str, unit: str, attribute: str) -> SkewCost:
        values = [float(getattr(one, attribute)) for one in regions]
        return SkewCost(name, LOAD, unit, load, values)

    return [
        SkewCost("region count skew", REGION_COUNT_SKEW, "regions", load, ones, whole=True),
        SkewCost("table skew", TABLE_SKEW, "regions of", load, ones, tables, whole=True),
        PlaceCost(
            "locality",
            SERVER_LOCALITY,
            "its files are in the object store of the other node",
            load,
            _distances(load),
        ),
        skew("read requests", "reads a second", "reads_per_s"),
        skew("write requests", "writes a second", "writes_per_s"),
        skew("memstore size", "bytes of memstores", "memstore_bytes"),
        skew("store file size", "bytes of store files", "store_file_bytes"),
        PlaceCost("moves", MOVE, "it was there before", load, _moves(load, moves_max)),
    ]


def _distances(load: ClusterLoad) -> Floats:
    """By region and server: the part of all bytes in object stores that would be far away."""
    nodes = [one.node for one in load.servers]
    held = np.asarray([float(one.object_bytes) for one in load.regions])
    far = np.asarray([[one.object_node != node for node in nodes] for one in load.regions], float)
    parts: Floats = held[:, None] * far / max(float(held.sum()), 1.0)
    return parts


def _moves(load: ClusterLoad, moves_max: int) -> Floats:
    servers = range(len(load.servers))
    moved = [[one.server != server for server in servers] for one in load.regions]
    return np.asarray(moved, float) / max(1, min(moves_max, len(load.regions)))


def _most_skew(totals: Floats, servers: int) -> Floats:
    """All at one server."""
    means = totals / servers
    most: Floats = np.sqrt(np.square(totals - means) + (servers - 1) * np.square(means))
    return most


def _least_skew(totals: Floats, servers: int) -> Floats:
    """As even as whole regions can be."""
    means = totals / servers
    low = np.floor(means)
    more = totals - low * servers
    least: Floats = np.sqrt(
        more * np.square(low + 1 - means) + (servers - more) * np.square(means - low)
    )
    return least


def _single_moves(step: Steps) -> list[tuple[Any, Any, Any]]:
    """(region, source, target) of a step's one or two moves."""
    moved, source, target, back = step.moved[0], step.source[0], step.target[0], step.back[0]
    moves = [(moved, source, target)]
    return moves if back < 0 else [*moves, (back, target, source)]
