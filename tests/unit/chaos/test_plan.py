"""What `make chaos` does to a cluster follows from its seed, and leaves nothing out."""

from __future__ import annotations

from collections import Counter
from random import Random

from raybase.actors.procedures.registry import KINDS
from raybase.testing.real.churn import TRIGGERS
from raybase.testing.real.plan import FaultKind, Planned, make_plan
from raybase.testing.real.report import ChaosReport, Struck


def plan(minutes: float, seed: int = 1) -> list[Planned]:
    return make_plan(minutes, list(KINDS), Random(seed))


def test_twenty_minutes_have_each_kind_five_times_and_each_procedure_once() -> None:
    made = plan(20)
    counts = Counter(one.kind for one in made)
    assert all(counts[kind] >= 5 for kind in FaultKind)
    assert len(made) >= 60
    assert Counter(one.procedure for one in made if one.procedure) == dict.fromkeys(KINDS, 1)


def test_the_short_form_has_each_kind_once_and_strikes_inside_split_merge_and_move() -> None:
    made = plan(1)
    assert {one.kind for one in made} == set(FaultKind)
    assert {one.procedure for one in made} == {"", "split", "merge", "move"}


def test_the_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    assert plan(20, 7) == plan(20, 7)
    assert plan(20, 7) != plan(20, 8)


def test_every_kind_of_procedure_can_be_set_off() -> None:
    assert set(TRIGGERS) == set(KINDS)


def test_kinds_that_did_not_happen_are_missed() -> None:
    report = ChaosReport(1)
    planned = plan(1)
    for one in planned[1:]:
        report.faults.append(Struck(one, "what", 0.0, 2.0))
    (missed,) = report.missed(planned)
    assert str(planned[0].kind) in missed
