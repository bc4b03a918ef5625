"""Fifty clusters, each under fire; and the same with bugs that must be found."""

import os
import subprocess
import sys
from functools import cache

import pytest

from raybase.testing.mutants.cluster import CLUSTER_MUTANTS
from raybase.testing.story import Outcome, tell

pytestmark = pytest.mark.simulation

FAILED = {
    14: "a report of death that came in a late turn was forgotten: the master waited for ever for "
    "a server that Ray did not reach",
    38: "the janitor archived a store file whose server stood still before it committed it",
}
"""Seeds that found a bug, and which. Each has a test of its own as well."""
SEEDS = sorted({*range(50), *FAILED})
OPERATIONS_PER_S = 50
FAULTS_PER_S = 5


@cache
def outcome_of(seed: int) -> Outcome:
    return tell(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_clients_are_told_fits_one_correct_table(seed: int) -> None:
    outcome = outcome_of(seed)
    assert outcome.problems == [], f"{outcome}\n" + "\n".join(outcome.faults)
    counts = outcome.counts
    assert counts["kills"] >= 2
    assert counts["messages delayed"] > 0
    assert counts["calls lost"] + counts["replies lost"] + counts["connections stalled"] > 0
    assert counts["operations"] > 200
    assert counts["scans"] > 0


def test_every_seed_is_another_story() -> None:
    assert len({outcome_of(seed).digest for seed in SEEDS}) == len(SEEDS)


def test_all_kinds_of_faults_happened_to_some_seed() -> None:
    happened = {name for seed in SEEDS for name, count in outcome_of(seed).counts.items() if count}
    assert happened >= {
        "kills",
        "pauses",
        "cuts",
        "cuts for good",
        "false death reports",
        "power losses",
        "nodes lost",
        "clock jumps",
        "reads failed",
        "writes failed",
        "syncs failed",
        "calls lost",
        "replies lost",
        "calls doubled",
        "messages delayed",
        "messages split",
        "connections stalled",
        "connections reset",
        "slow file operations",
        "late writes",
        "tasks died",
        "tasks doubled",
        "objects got",
        "objects lost",
    }


def test_the_operator_got_all_kinds_of_work_done() -> None:
    done = {name for seed in SEEDS for name, count in outcome_of(seed).counts.items() if count}
    kinds = ("flush", "compact", "split", "merge", "move", "alter", "balance", "scratch")
    assert done >= {f"operator: {kind}" for kind in (*kinds, "drain", "recommission")}


def test_clients_are_so_busy_that_a_virtual_hour_counts() -> None:
    outcomes = [outcome_of(seed) for seed in SEEDS]
    virtual_s = sum(one.virtual_s for one in outcomes)
    assert sum(one.counts["operations"] for one in outcomes) / virtual_s > OPERATIONS_PER_S
    assert sum(one.faults_count for one in outcomes) / virtual_s > FAULTS_PER_S


def test_processes_are_struck_in_the_midst_of_many_things() -> None:
    struck = {site for seed in SEEDS for site in outcome_of(seed).struck}
    assert len(struck) > 40, sorted(struck)


@pytest.mark.parametrize("seed", [0, 1])
def test_one_seed_tells_one_story_in_any_process(seed: int) -> None:
    lines = [
        subprocess.run(
            [sys.executable, "-m", "raybase.testing", str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    traces = [line.strip().rpartition(" ")[2] for line in lines]
    assert traces == [outcome_of(seed).digest] * 2


@pytest.mark.parametrize("name", [one.name for one in CLUSTER_MUTANTS])
def test_a_mutant_is_found(name: str) -> None:
    mutant = next(one for one in CLUSTER_MUTANTS if one.name == name)
    with mutant.applied():
        assert any(tell(seed).problems for seed in SEEDS), f"{name} was found in no seed"
