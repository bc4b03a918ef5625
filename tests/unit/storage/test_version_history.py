"""NEW_VERSION_BEHAVIOR: a put decided in key order is decided as by playing the writes."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from raybase.model import CellType, FamilyDescriptor, TimeRange
from raybase.operations import Delete, Put, Scan
from raybase.storage.version_history import VersionHistory

KINDS = (
    CellType.PUT,
    CellType.PUT,
    CellType.PUT,
    CellType.DELETE,
    CellType.DELETE_COLUMN,
    CellType.DELETE_FAMILY,
    CellType.DELETE_FAMILY_VERSION,
)
FAMILY_KINDS = (CellType.DELETE_FAMILY, CellType.DELETE_FAMILY_VERSION)
writes = st.lists(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from([b"", b"q"]), st.integers(1, 5)),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    max_size=24,
)
"""A write is some cells under one sequence id."""


def play(written: Any, max_versions: int) -> set[tuple[bytes, int, int]]:
    """(qualifier, timestamp, sequence id) of what is left after one write upon the other."""
    live: dict[tuple[bytes, int], int] = {}
    for number, cells in enumerate(written, 1):
        for kind, qualifier, timestamp in cells:
            if kind is not CellType.PUT:
                continue
            live[qualifier, timestamp] = number
            versions = sorted(at for column, at in live if column == qualifier)
            if len(versions) > max_versions:
                del live[qualifier, versions[0]]
        for kind, qualifier, timestamp in cells:
            for column, at in list(live):
                if kind is not CellType.PUT and (kind in FAMILY_KINDS or column == qualifier):
                    up_to = kind in (CellType.DELETE_FAMILY, CellType.DELETE_COLUMN)
                    if at == timestamp or (up_to and at < timestamp):
                        del live[column, at]
    return {(column, at, number) for (column, at), number in live.items()}


@example([[(CellType.PUT, b"q", 1)], [(CellType.PUT, b"q", 5), (CellType.DELETE, b"q", 5)]], 1)
@settings(max_examples=200, deadline=None)
@given(writes, st.integers(1, 3))
def test_puts_decided_in_key_order_are_those_that_playing_the_writes_leaves(
    written: Any, max_versions: int
) -> None:
    cells = sorted(
        (b"" if kind in FAMILY_KINDS else qualifier, -timestamp, -kind, -number)
        for number, write in enumerate(written, 1)
        for kind, qualifier, timestamp in write
    )
    history = VersionHistory(max_versions)
    history.enter_row()
    kept = set()
    column = b""
    for qualifier, timestamp, kind, number in cells:
        if qualifier != column:
            history.enter_column()
            column = qualifier
        if kind != -CellType.PUT:
            history.note_tombstone(255 + kind, -timestamp, -number)
        elif history.keeps(-timestamp, -number):
            kept.add((qualifier, -timestamp, -number))
    assert kept == play(written, max_versions)


def test_a_read_of_earlier_times_knows_what_later_ones_pushed_out(make_engine: Any) -> None:
    """HBase leaves the file of the later times out, and shows what was pushed out."""
    engine = make_engine(FamilyDescriptor(b"f", new_version_behavior=True))
    engine.write(Put(b"r").add(b"f", b"q", b"later", 30))
    engine.flush()
    engine.write(Put(b"r").add(b"f", b"q", b"earlier", 10))
    early = Scan(time_range=TimeRange(0, 20))
    assert engine.scan(early) == []
    engine.write(Delete(b"r").version(b"f", b"q", 30))
    assert engine.scan(early) == []


def test_tombstones_hide_only_what_was_written_before_them(make_engine: Any) -> None:
    engine = make_engine(FamilyDescriptor(b"f", new_version_behavior=True))
    engine.write(Delete(b"r").family(b"f", 50))
    engine.write(Put(b"r").add(b"f", b"q", b"after", 10))
    for _ in range(2):
        assert [cell[5] for cell in engine.scan(Scan())] == [b"after"]
        engine.flush()
        engine.compact(b"f", major=True)
