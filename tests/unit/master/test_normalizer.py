"""The normalizer: what is split, what is merged, and what is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.actors.assignment import RegionNode, TransitionState
from raybase.actors.messages import RegionStatus
from raybase.actors.normalizer import Normalization, SizedRegion, plan, wants_normalization
from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.config import MIB, NormalizerConfig
from raybase.errors import IllegalArgumentError
from raybase.model import RegionInfo, ServerName, TableDescriptor
from raybase.testing.procedures.cluster import FakeCluster, table

DAY_MS = 86_400_000
NOW_MS = 1_700_000_000_000
OLD_MS = NOW_MS - 10 * DAY_MS
CONFIG = NormalizerConfig()
T = replace(table(), attributes={"NORMALIZATION_ENABLED": "true"})


def region(number: int, size_mb: float, *, born_ms: int = OLD_MS) -> SizedRegion:
    info = RegionInfo(T.name, b"%03d" % number, b"%03d" % (number + 1), born_ms)
    node = RegionNode(info, TransitionState.OPEN, ServerName("s", 1, 1), 1, 0.0)
    return SizedRegion(node, int(size_mb * MIB))


def regions(*sizes_mb: float) -> list[SizedRegion]:
    return [region(number, size) for number, size in enumerate(sizes_mb)]


def planned(
    found: list[SizedRegion],
    descriptor: TableDescriptor = T,
    config: NormalizerConfig = CONFIG,
) -> tuple[list[int], list[list[int]]]:
    """Positions of what is split, and of what is merged."""
    position = {one.node.info: number for number, one in enumerate(found)}
    wanted = plan(descriptor, found, config, NOW_MS)
    numbers = [[position[node.info] for node in one.nodes] for one in wanted]
    return (
        [one[0] for one in numbers if len(one) == 1],
        [one for one in numbers if len(one) > 1],
    )


def test_a_table_asks_for_it_by_its_attribute() -> None:
    assert not wants_normalization(table())
    assert wants_normalization(T)


def test_a_region_of_over_twice_the_average_is_split() -> None:
    assert planned(regions(10, 10, 10, 10, 61)) == ([4], [[0, 1], [2, 3]])
    assert planned(regions(10, 10, 10, 10, 60))[0] == [4]
    assert planned(regions(10, 10, 40))[0] == []


def test_small_neighbours_are_merged_up_to_the_average() -> None:
    assert planned(regions(5, 5, 20, 5, 5, 20))[1] == [[0, 1], [3, 4]]
    assert planned(regions(2, 2, 2, 2, 2, 50, 50))[1] == [[0, 1, 2, 3, 4]]


def test_a_small_table_is_not_merged() -> None:
    assert planned(regions(2, 2))[1] == []
    assert planned(regions(2, 2, 50))[1] == [[0, 1]]


def test_young_and_empty_regions_are_not_merged() -> None:
    found = regions(5, 5, 50)
    assert planned([region(0, 5, born_ms=NOW_MS - 2 * DAY_MS), *found[1:]])[1] == []
    assert planned(regions(0.5, 5, 50))[1] == []


def test_what_refers_to_its_parents_files_is_left_alone() -> None:
    found = regions(5, 5, 5, 5, 50)
    assert planned([*found[:4], replace(found[4], has_references=True)])[0] == []
    assert planned([replace(found[0], has_references=True), *found[1:]])[1] == [[1, 2]]
    found[1].node.merge_parents = (found[0].node.info,)
    assert planned(found)[1] == [[2, 3]]


def test_no_more_than_a_hundred_are_merged_at_once() -> None:
    sizes = planned(regions(*[1.0] * 150, 300))[1]
    assert all(len(one) <= 100 for one in sizes)
    config = replace(CONFIG, merge_regions_max=2)
    assert all(len(one) == 2 for one in planned(regions(2, 2, 2, 2, 50), config=config)[1])


def test_a_table_may_name_its_target() -> None:
    size = replace(T, attributes={**T.attributes, "NORMALIZER_TARGET_REGION_SIZE_MB": "4"})
    assert planned(regions(10, 3, 3), size) == ([0], [])
    count = replace(T, attributes={**T.attributes, "NORMALIZER_TARGET_REGION_COUNT": "9"})
    assert planned(regions(10, 10, 10, 10), count) == ([0, 1, 2, 3], [])
    wrong = replace(T, attributes={"NORMALIZER_TARGET_REGION_COUNT": "many"})
    with pytest.raises(IllegalArgumentError, match="NORMALIZER_TARGET_REGION_COUNT"):
        planned(regions(10, 10), wrong)


def test_switches_of_splits_and_merges_hold() -> None:
    found = regions(2, 2, 50)
    for key, expected in (("SPLIT_ENABLED", ([], [[0, 1]])), ("MERGE_ENABLED", ([2], []))):
        assert planned(found, replace(T, attributes={key: "false"})) == expected
    assert planned(found, config=replace(CONFIG, split_enabled=False))[0] == []
    assert planned(found, config=replace(CONFIG, merge_enabled=False))[1] == []


@settings(max_examples=80)
@given(st.lists(st.integers(0, 100), max_size=20))
def test_whatever_the_sizes_a_region_is_in_one_plan_and_merges_are_neighbours(
    sizes: list[int],
) -> None:
    found = regions(*map(float, sizes))
    splits, merges = planned(found)
    flat = [*splits, *(number for one in merges for number in one)]
    assert len(flat) == len(set(flat))
    average = sum(sizes) / max(1, len(sizes))
    assert all(sizes[number] > 2 * average for number in splits)
    for one in merges:
        assert one == list(range(one[0], one[-1] + 1))
        assert sum(sizes[number] for number in one) <= average


# -- the chore, over a cluster -------------------------------------------------------------


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    one = FakeCluster()
    one.elect()
    one.settle()
    one.perform(
        CreateTableProcedure(table=T.name, descriptor=T, split_keys=(b"b", b"c", b"d", b"e"))
    )
    yield one
    one.close()


def run(cluster: FakeCluster, sizes_mb: dict[bytes, int]) -> list[Normalization]:
    """One round, when the regions that begin at these keys have these sizes."""
    config = replace(cluster.config.normalizer, merge_age_s=0.0)
    environment = cluster.term.environment
    environment.config = replace(cluster.config, normalizer=config)
    for node in cluster.term.assignment.regions_of(T.name):
        cluster.split_rows[node.info.encoded_name] = node.info.start_key + b"5"
        cluster.sizes[node.info.encoded_name] = sizes_mb[node.info.start_key] * MIB
    done = cluster.on_master(cluster.term.normalizer.run())
    assert done is not None
    cluster.settle()
    cluster.check()
    return done


SIZES = {b"": 2, b"b": 2, b"c": 90, b"d": 20, b"e": 20}


def starts(cluster: FakeCluster) -> list[bytes]:
    nodes = cluster.term.assignment.regions_of(T.name)
    return [one.info.start_key for one in nodes if one.state == TransitionState.OPEN]


def test_a_round_splits_and_merges_what_it_should(cluster: FakeCluster) -> None:
    done = run(cluster, SIZES)
    assert [one.is_split for one in done] == [True, False]
    assert starts(cluster) == [b"", b"c", b"c5", b"d", b"e"]
    assert "over twice the average of" in done[0].reason


def test_nothing_is_done_while_it_is_off(cluster: FakeCluster) -> None:
    cluster.on_master(cluster.term.switches.set_normalizer(False))
    assert run(cluster, SIZES) == []
    assert starts(cluster) == sorted(SIZES)


def test_a_table_of_which_a_region_is_not_reported_waits(cluster: FakeCluster) -> None:
    victim = cluster.fake(cluster.live()[0])
    real = victim.status

    async def forgetful() -> object:
        report = await real()
        return replace(report, regions=tuple[RegionStatus, ...]())

    victim.status = forgetful  # type: ignore[method-assign, assignment]
    assert run(cluster, SIZES) == []
