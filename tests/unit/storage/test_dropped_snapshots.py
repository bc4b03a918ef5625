"""A snapshot that was flushed gives its memory back in pieces, and nobody misses it."""

from __future__ import annotations

from typing import Any

from raybase.model import FamilyDescriptor
from raybase.operations import Put
from raybase.storage.flush import DROPPED_CELLS


def test_a_committed_snapshot_is_dropped_in_pieces_while_the_region_serves(
    make_engine: Any,
) -> None:
    engine = make_engine(FamilyDescriptor(b"f"), FamilyDescriptor(b"g"))
    count = 2 * DROPPED_CELLS + 100
    for number in range(count):
        engine.write(Put(b"%06d" % number).add(b"f", b"q", b"v").add(b"g", b"q", b"w"))
    plan = engine.region.begin_flush(engine.now_ms)
    files = {
        family: engine.write_file(family, plan.slices(family), plan.sequence_id)
        for family in plan.families
    }
    manifest = engine.region.flush_manifest(plan, [file.entry for file in files.values()])
    engine.region.commit_flush(plan, files, manifest)
    engine.manifest = manifest
    pieces = 0
    while plan.drop_some():
        pieces += 1
        assert engine.value(b"%06d" % pieces) == b"v"
    assert pieces >= 2 * (count // DROPPED_CELLS)
    assert list(plan.slices(b"f")) == list(plan.slices(b"g")) == []
    assert not plan.drop_some()
