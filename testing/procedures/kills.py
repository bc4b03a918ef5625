"""Masters killed round the updates of their store, and what must be the same afterwards.

A scenario is run undisturbed once. Then it is run again for every update that it makes of the
procedure store, with the master killed before it or after it, once or twice in a row; the client
asks for the same thing again, as clients do. The outcome must be the undisturbed one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ...actors.procedures.procedure import Procedure, ProcedureState
from .cluster import FakeCluster
from .outcome import Before, outcome
from .scenarios import SCENARIOS, Scenario
from .store import never

UPDATES_MAX: Final = 200
"""More than any scenario makes: a master that does not come to its end is a problem, too."""


@dataclass(frozen=True, slots=True)
class Kill:
    """The master dies before or after its ``number``-th update, counted from the last death."""

    number: int
    before: bool

    def __str__(self) -> str:
        return f"{'before' if self.before else 'after'} update {self.number}"


@dataclass(frozen=True, slots=True)
class Run:
    outcome: tuple[str, ...]
    kills: int
    """How many of those wanted there were."""
    updates: int
    """Of the store, by the first master since the scenario began."""
    kinds: tuple[str, ...]
    """Of the procedures that were stored since the scenario began."""


def problems(name: str, *, seconds: Sequence[int] = ()) -> Iterator[str]:
    """What differs after kills at every update of the scenario.

    With ``seconds`` the next master is killed, too, at each of these updates of its own.
    """
    undisturbed = run(SCENARIOS[name], ())
    for kills in plans(undisturbed.updates, seconds=seconds):
        where = f"{name}, killed {', then '.join(map(str, kills))}"
        try:
            found = run(SCENARIOS[name], kills)
        except AssertionError as error:
            yield f"{where}: {error}"
            continue
        for line in _differences(undisturbed.outcome, found.outcome):
            yield f"{where}: {line}"


def plans(updates: int, *, seconds: Sequence[int]) -> Iterator[tuple[Kill, ...]]:
    """Which masters are killed, run by run."""
    for number in range(1, updates + 1):
        if not seconds:
            yield (Kill(number, before=True),)
            yield (Kill(number, before=False),)
            continue
        for second in seconds:
            yield (
                Kill(number, before=number % 2 == 0),
                Kill(second, before=(number // 2 + second) % 2 == 0),
            )


def _differences(expected: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    for line in expected:
        if line not in found:
            yield f"lacks {line!r}"
    for line in found:
        if line not in expected:
            yield f"has {line!r}"
    if sorted(expected) == sorted(found) and expected != found:
        yield "has another order"


def run(scenario: Scenario, kills: Sequence[Kill]) -> Run:
    """One run. Raises AssertionError for what no run may leave behind."""
    cluster = FakeCluster()
    try:
        return _run(cluster, scenario, kills)
    finally:
        cluster.close()


def _run(cluster: FakeCluster, scenario: Scenario, kills: Sequence[Kill]) -> Run:
    cluster.elect()
    cluster.settle()
    for step in scenario.prepare:
        step(cluster)
    cluster.settle()
    before = Before.of(cluster)
    request = scenario.make(cluster) if scenario.make else None
    since = cluster.store.updates
    cluster.store.kinds.clear()
    happened = 0
    for number, kill in enumerate(kills):
        if number:
            cluster.elect()
        cluster.kill_master_at(kill.number, before=kill.before)
        if not number:
            _act(cluster, scenario, request)
        if not _went_down(cluster):
            break
        happened += 1
    if not kills:
        _act(cluster, scenario, request)
    cluster.store.hook = never
    if not cluster.master_lives():
        cluster.elect()
    cluster.settle()
    updates = cluster.store.updates - since
    how = _how_it_ended(cluster, request)
    cluster.heal()
    cluster.settle_all()
    cluster.check()
    assert updates < UPDATES_MAX, f"{updates} updates of the store"
    return Run((how, *outcome(cluster, before)), happened, updates, tuple(cluster.store.kinds))


def _act(cluster: FakeCluster, scenario: Scenario, request: Procedure | None) -> None:
    if request is not None:
        cluster.submit(_copy(request), _NONCE)
    elif scenario.provoke is not None:
        victims = cluster.live()
        scenario.provoke(cluster)
        cluster.run_until(lambda: cluster.live() != victims or not cluster.master_lives())


_NONCE: Final = "the request"


def _copy(procedure: Procedure) -> Procedure:
    body = procedure.to_fields()
    body.pop("kind")
    return type(procedure)(**body)


def _went_down(cluster: FakeCluster) -> bool:
    """Runs until the master is dead, or has done everything."""
    cluster.run_until(lambda: not cluster.master_lives() or cluster.is_settled())
    return not cluster.master_lives()


def _how_it_ended(cluster: FakeCluster, request: Procedure | None) -> str:
    """The client asks again, for it may have had no answer."""
    if request is None:
        return "nobody asked"
    procedure_id = cluster.submit(_copy(request), _NONCE)
    cluster.settle()
    assert procedure_id is not None
    procedure = cluster.term.executor.get(procedure_id)
    assert procedure is not None
    error = procedure.outcome()
    assert (error is not None) == (procedure.state == ProcedureState.FAILED)
    return f"ended with {type(error).__name__ if error else 'success'}"
