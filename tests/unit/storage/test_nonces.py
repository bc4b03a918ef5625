"""Nonces: found while a client may retry, few files, and all of them gone in the end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.errors import CorruptionError
from raybase.storage.manifest import NonceFileEntry
from raybase.storage.nonce_table import NonceTable, merged, run_of
from raybase.storage.nonces import SPANS, Nonces

TTL_MS = 1_200_000


def flush(nonces: Nonces, path: str = "n/1", *, commit: bool = True) -> NonceTable:
    plan = nonces.begin_flush()
    assert plan is not None
    for _ in plan.sort(path):
        pass
    assert plan.table is not None
    if commit:
        nonces.commit_flush(plan)
    while plan.drop_some():
        pass
    return plan.table


def reopened(nonces: Nonces, clock_ms: int) -> Nonces:
    """As the next owner finds them, by what a manifest says."""
    return Nonces(TTL_MS, clock_ms, nonces.age_ms, nonces.tables)


@pytest.mark.parametrize("flushed", [False, True])
def test_a_nonce_is_found_until_its_time_is_over(flushed: bool) -> None:
    nonces = Nonces(100_000, clock_ms=500_000)
    nonces.add(1, 2, 30, 500_000, {})
    if flushed:
        flush(nonces)
    nonces.add(1, 3, 31, 550_000, {})
    nonces.add(1, 0, 32, 550_000, {})
    assert nonces.find(1, 2) == 30
    assert nonces.find(2, 2) is None
    assert nonces.find(1, 0) is None
    nonces.forget(600_000)
    assert len(nonces) == 2
    nonces.add(1, 4, 33, 600_001, {})
    assert [nonces.find(1, nonce) for nonce in (2, 3, 4)] == [None, 31, 33]


@pytest.mark.parametrize("flushed", [False, True])
def test_a_wall_clock_that_jumps_makes_no_nonce_old(flushed: bool) -> None:
    nonces = Nonces(TTL_MS)
    nonces.add(1, 2, 30, 1_000, {})
    nonces.add(1, 3, 31, 9_000_000, {})
    assert nonces.find(1, 2) == 30
    if flushed:
        flush(nonces)
        nonces = reopened(nonces, 9_000_000)
    for number in range(30):
        assert nonces.find(1, 2) == 30 or number >= 20
        nonces.add(1, 4 + number, 32 + number, 9_060_000 + 60_000 * number, {})
    assert nonces.find(1, 2) is None
    assert len(nonces) <= 22


def test_results_are_remembered_for_a_minute() -> None:
    nonces = Nonces(TTL_MS)
    made = {(b"f", b"q"): (5, b"v")}
    nonces.add(1, 2, 30, 500_000, made)
    nonces.add(1, 3, 31, 560_000, {})
    assert nonces.made_by(1, 2) == made
    nonces.add(1, 4, 32, 560_001, {})
    assert nonces.made_by(1, 2) == {}
    assert nonces.find(1, 2) == 30


def test_a_hundred_flushes_leave_few_files_with_nothing_lost_or_kept_for_long() -> None:
    nonces = Nonces(TTL_MS)
    step_ms, written = 10_000, 0
    for number in range(500):
        clock_ms = step_ms * number
        for _ in range(1 + number % 7):
            nonces.add(5, written + 1, written, clock_ms, {})
            written += 1
        flush(nonces, f"n/{number}")
        assert len(nonces.tables) <= 4 * SPANS
    kept = [nonce for nonce in range(1, written + 1) if nonces.find(5, nonce) is not None]
    due = 4 * TTL_MS // step_ms
    assert kept == list(range(kept[0], written + 1)), "none is missing"
    assert due <= len(kept) <= due * (1 + 2 / SPANS), "those too old are gone"
    assert len({one.entry.path for one in nonces.tables}) == len(nonces.tables)


def test_a_flush_given_up_leaves_every_nonce_for_the_next() -> None:
    nonces = Nonces(TTL_MS)
    nonces.add(1, 1, 10, 1_000, {})
    nonces.begin_flush()
    nonces.add(1, 2, 11, 1_000, {})
    nonces.abort_flush()
    assert list(nonces.unflushed()) == [(1, 1, 10), (1, 2, 11)]
    table = flush(nonces)
    assert [table.find(1, nonce) for nonce in (1, 2)] == [10, 11]
    assert nonces.begin_flush() is None


numbers = st.integers(0, 2**64 - 1)
operations = st.lists(st.tuples(numbers | st.integers(1, 3), numbers, numbers), max_size=200)


@settings(deadline=None)
@given(st.lists(operations, min_size=1, max_size=5))
def test_whatever_was_written_is_found_and_nothing_else(runs) -> None:
    together = [one for run in runs for one in run]
    known = {}
    for nonce, group, sequence_id in together:
        known.setdefault((group, nonce), []).append(sequence_id)
    parts = list(merged([run_of(run) for run in runs]))
    rows = [tuple(int(x) for x in column) for part in parts for column in part.T]
    assert sorted(rows) == sorted(together)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    entry = NonceFileEntry("n/1", len(rows), 1, 2)
    written = b"".join(NonceTable(entry, run_of(rows)).pieces())
    table = NonceTable.decode(entry, written)
    assert b"".join(table.pieces()) == written
    for (group, nonce), sequence_ids in known.items():
        assert table.find(group, nonce) in sequence_ids
    assert table.find(2**64 - 1, 4) is None or (2**64 - 1, 4) in known


def test_large_runs_are_merged_in_small_steps() -> None:
    draws = random.Random(7)
    runs = [run_of([(draws.getrandbits(64), 1, 1) for _ in range(n)]) for n in (20_000, 9, 3_000)]
    parts = [part.shape[1] for part in merged(runs)]
    assert sum(parts) == 23_009
    assert max(parts) < 5_000


def test_a_file_that_is_not_whole_is_refused() -> None:
    entry = NonceFileEntry("n/1", 2, 1, 2)
    data = b"".join(NonceTable(entry, run_of([(1, 2, 3), (4, 5, 6)])).pieces())
    for damaged in (data[:-1], data + b"x", b"", data[:20] + b"!" + data[21:]):
        with pytest.raises(CorruptionError) as raised:
            NonceTable.decode(entry, damaged)
        assert raised.value.path == "n/1"
