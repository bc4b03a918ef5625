"""Array operations decide as the loop over cells does, wherever windows end."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raybase.model import ALL_TIME, CellType, FamilyDescriptor, TimeRange
from raybase.storage import retention, visibility
from raybase.storage.key import cell_key
from raybase.storage.reading import Reading, VisibleCells
from raybase.storage.retention import Retention
from raybase.storage.visibility import VersionTracker
from raybase.storage.window import Window

DELETES = (
    CellType.DELETE,
    CellType.DELETE_COLUMN,
    CellType.DELETE_FAMILY,
    CellType.DELETE_FAMILY_VERSION,
)


def cells_of(seed: int, deletes: float) -> list[tuple[bytes, bytes, int, CellType]]:
    """Many cells of few columns, of which this part are tombstones."""
    source = random.Random(seed)
    return [
        (
            source.choice([b"a", b"b"]),
            source.choice([b"", b"q"]),
            source.randint(1, 6),
            source.choice(DELETES) if source.random() < deletes else CellType.PUT,
        )
        for _ in range(source.randint(5, 40))
    ]


cells = st.builds(cells_of, st.integers(0, 10**9), st.sampled_from([0.0, 0.05, 0.3]))
families = st.builds(
    FamilyDescriptor,
    st.just(b"f"),
    max_versions=st.integers(2, 4),
    min_versions=st.integers(0, 2),
    ttl_s=st.integers(0, 1),
)
cuts = st.lists(st.integers(1, 12), min_size=1, max_size=8)
readings = st.tuples(
    st.integers(0, 40),
    st.sampled_from([900, 1003, 1004]),
    st.integers(1, 4),
    st.sampled_from([ALL_TIME, TimeRange(2, 5)]),
    st.sampled_from([None, (b"q",), (b"", b"x")]),
)
RARELY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def windows_of(found: list[Any], sizes: list[int]) -> list[Window]:
    """The cells as sorted windows, of these sizes in turn."""
    keys = sorted(
        cell_key(row, b"" if kind in (CellType.DELETE_FAMILY, 10) else qualifier, at, kind, number)
        for number, (row, qualifier, at, kind) in enumerate(found, 1)
    )
    windows = []
    start = turn = 0
    while start < len(keys):
        piece = keys[start : start + sizes[turn % len(sizes)]]
        windows.append(Window(piece, piece, b""))
        start += len(piece)
        turn += 1
    return windows


@RARELY
@given(cells, families, cuts, readings)
def test_readers_see_the_same_either_way(
    monkeypatch: pytest.MonkeyPatch, found: Any, family: Any, sizes: Any, reading: Any
) -> None:
    answers = []
    for arrays_from in (1, 10**9):
        monkeypatch.setattr(visibility, "ARRAYS_FROM", arrays_from)
        tracker = VersionTracker(Reading(family, *reading))
        out = VisibleCells()
        for window in windows_of(found, sizes):
            tracker.add(window, out)
        answers.append((out.columns, out.timestamps, out.values))
    assert answers[0] == answers[1]


@RARELY
@given(cells, families, cuts, st.integers(0, 40), st.sampled_from([900, 1003, 1004]), st.booleans())
def test_files_keep_the_same_either_way(
    monkeypatch: pytest.MonkeyPatch,
    found: Any,
    family: Any,
    sizes: Any,
    read_point: int,
    now_ms: int,
    major: bool,
) -> None:
    answers = []
    for arrays_from in (1, 10**9):
        monkeypatch.setattr(retention, "ARRAYS_FROM", arrays_from)
        kept = Retention(family, read_point, now_ms, major=major).apply(windows_of(found, sizes))
        answers.append([key for window in kept for key in window.keys])
    assert answers[0] == answers[1]
