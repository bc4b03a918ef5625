"""What a server reports of its regions: made anew when, and only when, something changed."""

from __future__ import annotations

import pickle

import pytest

from raybase.actors.messages import RegionState, RegionStatus
from raybase.actors.region_report import RegionReports
from raybase.model import RegionInfo

from .small_cluster import REGION, SmallCluster, run


def test_a_report_shows_every_change() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        server = cluster.server("rs-1")
        hosted, reports = server.find(REGION.name), RegionReports()

        def changes() -> bool:
            before = reports.of(hosted)
            assert reports.of(hosted) is before
            seen.append(before)
            return len(seen) < 2 or before != seen[-2]

        seen: list[RegionStatus] = []
        assert changes()
        await cluster.put("rs-1", b"row", b"value")
        assert changes()
        await cluster.get("rs-1", b"row")
        assert changes()
        await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        assert changes()
        assert seen[-1].object_bytes == seen[-1].store_file_bytes > 0
        for entry in hosted.region.file_entries:
            hosted.services.io.handoff.drop(entry.path)
        assert changes()
        assert seen[-1].object_bytes == 0
        await cluster.control("rs-1", "flush_region", REGION.encoded_name)
        assert not changes()
        assert reports.of(hosted) == RegionReports().of(hosted)

    run(story)


@pytest.mark.parametrize("info", [REGION, REGION.with_flags(offline=True, split=True), None])
def test_a_status_survives_pickling_whole(info: RegionInfo | None) -> None:
    status = RegionStatus("abc", RegionState.OPEN, info, 1, "host,1,2", 3, 4, 5, 6, 7, 8, 9)
    again = pickle.loads(pickle.dumps(status))
    assert again == status
    assert again.state is RegionState.OPEN
