"""Single operations: found in one try, tried again where HBase's client would."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.client.arguments import as_condition
from raybase.errors import (
    CallQueueTooBigError,
    CallTimedOutError,
    ConnectionLostError,
    IllegalArgumentError,
    MasterNotRunningError,
    NoSuchFamilyError,
    NotServingRegionError,
    RegionOpeningError,
    RegionTooBusyError,
    RetriesExhaustedError,
    TableNotEnabledError,
    TableNotFoundError,
    WrongRegionError,
)
from raybase.model import ServerName, TimeRange
from raybase.operations import (
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Put,
    Scan,
)


@pytest.fixture
def web(cluster: Any, driver: Any) -> Any:
    cluster.add_table("web", b"m")
    return driver.table("web")


def put(row: bytes, value: bytes = b"v") -> Put:
    return Put(row).add(b"f", b"q", value)


def methods(cluster: Any) -> list[str]:
    return [method for _, method in cluster.calls]


def test_a_put_is_read_back(driver: Any, web: Any) -> None:
    driver.run(web.mutate(put(b"a", b"1")))
    result = driver.run(web.get(Get(b"a")))
    assert result.row == b"a"
    assert dict(result) == {b"f:q": b"1"}
    assert not driver.run(web.get(Get(b"b")))


def test_the_first_call_finds_registry_meta_and_region_and_the_next_is_alone(
    cluster: Any, driver: Any, web: Any
) -> None:
    driver.run(web.get(Get(b"a")))
    assert methods(cluster) == ["GetMetaRegionLocations", "Scan", "Get"]
    cluster.calls.clear()
    driver.run(web.get(Get(b"b")))
    assert cluster.calls == [("one", "Get")]


def test_one_lookup_brings_the_regions_before_along(cluster: Any, driver: Any, web: Any) -> None:
    driver.run(web.get(Get(b"z")))
    cluster.calls.clear()
    driver.run(web.get(Get(b"a")))
    assert methods(cluster) == ["Get"]


def test_existence_is_asked_without_cells(driver: Any, web: Any) -> None:
    driver.run(web.mutate(put(b"a")))
    assert driver.run(web.exists(Get(b"a", existence_only=True)))
    assert not driver.run(web.exists(Get(b"b", existence_only=True)))


def test_a_moved_region_is_followed_at_once_and_without_meta(
    cluster: Any, driver: Any, web: Any
) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.move(cluster.places[0], cluster.servers[1])
    cluster.calls.clear()
    assert driver.run(web.get(Get(b"a")))
    assert cluster.calls == [("one", "Get"), ("two", "Get")]
    assert driver.pauses == [0.0]


def test_a_region_that_is_elsewhere_is_looked_up_again(cluster: Any, driver: Any, web: Any) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.tells_moves = False
    cluster.move(cluster.places[0], cluster.servers[1])
    cluster.calls.clear()
    assert driver.run(web.get(Get(b"a")))
    assert cluster.calls == [("one", "Get"), ("one", "Get"), ("one", "Scan"), ("two", "Get")]
    assert driver.pauses == [0.1]


def test_a_dead_server_is_forgotten_with_all_its_regions(
    cluster: Any, driver: Any, web: Any
) -> None:
    driver.run(web.mutate(put(b"a")))
    driver.run(web.mutate(put(b"z")))
    cluster.kill(cluster.servers[1])
    assert driver.run(web.get(Get(b"z")))
    assert len(driver.pauses) == 1


def test_the_death_of_metas_server_is_survived(cluster: Any, driver: Any, web: Any) -> None:
    driver.run(web.mutate(put(b"z")))
    driver.core.cache.drop_table(web.name)
    cluster.kill(cluster.servers[0])
    assert driver.run(web.get(Get(b"z")))


@pytest.mark.parametrize(
    "error", [RegionTooBusyError("x"), RegionOpeningError("x"), CallQueueTooBigError("x")]
)
def test_overload_is_waited_for_in_place(cluster: Any, driver: Any, web: Any, error: Any) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.calls.clear()
    cluster.faults["Get"] = [error, error, error]
    assert driver.run(web.get(Get(b"a")))
    assert cluster.calls == [("one", "Get")] * 4
    assert driver.pauses == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize("error", [CallTimedOutError("x"), WrongRegionError("x")])
def test_other_errors_make_the_region_be_looked_up_again(
    cluster: Any, driver: Any, web: Any, error: Any
) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.calls.clear()
    cluster.faults["Get"] = [error]
    assert driver.run(web.get(Get(b"a")))
    assert methods(cluster) == ["Get", "Scan", "Get"]


def test_a_request_that_is_wrong_fails_at_once(cluster: Any, driver: Any, web: Any) -> None:
    with pytest.raises(NoSuchFamilyError):
        driver.run(web.mutate(Put(b"a").add(b"nope", b"", b"")))
    assert driver.pauses == []


def test_a_table_that_is_not_there_is_named_at_once(driver: Any) -> None:
    with pytest.raises(TableNotFoundError, match="there is no table nope"):
        driver.run(driver.table("nope").get(Get(b"a")))
    assert driver.pauses == []


def test_a_disabled_table_is_named_instead_of_tried_for_ever(
    cluster: Any, driver: Any, web: Any
) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.states[web.name] = 1
    with pytest.raises(TableNotEnabledError, match="web is disabled; enable it first"):
        driver.run(web.get(Get(b"a")))


def test_the_end_of_all_tries_lists_the_last_errors(cluster: Any, driver: Any, web: Any) -> None:
    cluster.faults["Get"] = [RegionTooBusyError(f"busy {one}") for one in range(99)]
    with pytest.raises(RetriesExhaustedError) as caught:
        driver.run(web.get(Get(b"row")))
    text = str(caught.value)
    assert "gave up Get of row b'row' of table web after 16 tries" in text
    assert "at two:2: RegionTooBusyError: " in text
    assert "busy 15" in text
    assert "busy 12" in text
    assert "busy 11" not in text


def test_a_server_without_its_registry_is_passed_over(cluster: Any, driver: Any, web: Any) -> None:
    cluster.faults["GetMetaRegionLocations"] = [CallTimedOutError("slow")]
    assert not driver.run(web.get(Get(b"a")))
    assert cluster.calls[:2] == [
        ("one", "GetMetaRegionLocations"),
        ("two", "GetMetaRegionLocations"),
    ]
    assert driver.pauses == []


DEAD = ServerName("dead", 7, 70)


def asked(cluster: Any, method: str = "GetMetaRegionLocations") -> list[str]:
    return [host for host, name in cluster.calls if name == method]


def test_who_named_a_server_that_is_gone_is_not_asked_again(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.stale["one"] = DEAD
    assert not driver.run(web.get(Get(b"a")))
    assert asked(cluster) == ["one", "two"]
    assert len(driver.pauses) == 1


def test_who_named_a_server_that_refuses_is_not_asked_again(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.stale["one"] = cluster.servers[1]
    assert not driver.run(web.get(Get(b"a")))
    assert asked(cluster) == ["one", "two"]


def test_of_many_stale_ones_all_are_asked_before_one_is_asked_twice(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.servers += [ServerName("three", 3, 30), ServerName("four", 4, 40)]
    cluster.stale = dict.fromkeys(("one", "two", "three"), DEAD)
    assert not driver.run(web.get(Get(b"a")))
    assert asked(cluster) == ["one", "two", "three", "four"]


def test_when_all_were_stale_they_are_asked_once_more(cluster: Any, driver: Any, web: Any) -> None:
    cluster.stale = dict.fromkeys(("one", "two"), DEAD)
    driver.before_call = lambda _: cluster.stale.clear() if len(driver.pauses) == 2 else None
    assert not driver.run(web.get(Get(b"a")))
    assert asked(cluster) == ["one", "two", "one"]


def test_the_only_server_known_is_asked_again_when_no_other_can_be_found(
    cluster: Any, driver: Any
) -> None:
    del cluster.servers[1:]
    cluster.add_table("web")
    driver.run(driver.core.cluster_id())
    cluster.stale["one"] = DEAD
    driver.find_error = MasterNotRunningError("the coordinator is away")
    driver.before_call = lambda _: cluster.stale.clear() if driver.pauses else None
    assert not driver.run(driver.table("web").get(Get(b"a")))
    assert asked(cluster) == ["one", "one"]


def test_who_named_a_master_that_is_gone_is_not_asked_again(cluster: Any, driver: Any) -> None:
    cluster.add_table("web")
    cluster.stale["one"] = DEAD
    assert [str(one) for one in driver.run(driver.admin.tables(system=False))] == ["web"]
    assert asked(cluster, "GetActiveMaster") == ["one", "two"]


def test_no_server_at_all_is_said_after_all_tries(cluster: Any, driver: Any, web: Any) -> None:
    cluster.faults["GetMetaRegionLocations"] = [ConnectionLostError("x") for _ in range(99)]
    with pytest.raises(RetriesExhaustedError, match="no server of the cluster answers"):
        driver.run(web.get(Get(b"a")))


def test_a_region_without_a_server_is_waited_for(cluster: Any, driver: Any, web: Any) -> None:
    place = cluster.places.pop(1)
    driver.before_call = lambda _: cluster.places.append(place) if driver.pauses else None
    assert not driver.run(web.get(Get(b"z")))
    assert driver.pauses == [0.1]


# -- mutations that must not be applied twice ----------------------------------------------


def test_an_increment_whose_answer_was_lost_counts_once(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.late_faults["Mutate"] = [ConnectionLostError("answer lost")] * 2
    increment = Increment(b"a").add(b"f", b"n", 5)
    assert driver.run(web.mutate(increment)).number("f:n") == 5
    assert driver.run(web.mutate(increment)).number("f:n") == 10


def test_an_append_whose_answer_was_lost_appends_once(cluster: Any, driver: Any, web: Any) -> None:
    cluster.late_faults["Mutate"] = [CallTimedOutError("late")]
    assert driver.run(web.mutate(Append(b"a").add(b"f", b"q", b"x")))[b"f:q"] == b"x"
    assert driver.run(web.mutate(Append(b"a").add(b"f", b"q", b"y")))[b"f:q"] == b"xy"


def test_a_checked_delete_keeps_its_timestamp_and_gets_a_nonce(
    cluster: Any, driver: Any, web: Any
) -> None:
    condition = Condition(b"a", b"f", b"q", CompareOperator.EQUAL, b"v")
    driver.run(web.mutate(put(b"a")))
    assert driver.run(web.check_and_mutate(condition, [Delete(b"a", 77)])).applied
    sent = cluster.requests[-1].mutation
    assert sent.timestamp == 77
    assert sent.nonce


def test_a_checked_put_is_applied_only_if_the_condition_holds(driver: Any, web: Any) -> None:
    absent = Condition(b"a", b"f", b"q", CompareOperator.EQUAL, None)
    assert driver.run(web.check_and_mutate(absent, [put(b"a", b"1")]))
    assert not driver.run(web.check_and_mutate(absent, [put(b"a", b"2")]))
    assert driver.run(web.get(Get(b"a")))[b"f:q"] == b"1"


def test_several_mutations_of_a_row_go_as_one_atomic_batch(
    cluster: Any, driver: Any, web: Any
) -> None:
    other = Put(b"a").add(b"f", b"r", b"2")
    driver.run(web.mutate_row(b"a", [put(b"a", b"1"), other]))
    assert [method for _, method in cluster.calls][-1] == "Multi"
    assert cluster.requests[-1].regionAction[0].atomic
    assert dict(driver.run(web.get(Get(b"a")))) == {b"f:q": b"1", b"f:r": b"2"}


def test_a_condition_over_several_mutations_is_kept(cluster: Any, driver: Any, web: Any) -> None:
    condition = Condition(b"a", b"f", b"q", CompareOperator.EQUAL, b"no")
    both = [put(b"a", b"1"), Put(b"a").add(b"f", b"r", b"2")]
    assert not driver.run(web.check_and_mutate(condition, both))
    assert not driver.run(web.get(Get(b"a")))


def test_a_condition_is_a_column_or_a_filter_and_may_be_bound_in_time() -> None:
    condition = as_condition("r", None, CompareOperator.EQUAL, None, (1, 5), "PrefixFilter('r')")
    assert condition.filter is not None
    assert condition.time_range == TimeRange(1, 5)
    for column, chosen in (("f:q", "PrefixFilter('r')"), (None, None)):
        with pytest.raises(IllegalArgumentError, match="a column or a filter"):
            as_condition("r", column, CompareOperator.EQUAL, b"v", None, chosen)


def test_an_atomic_batch_follows_its_region(cluster: Any, driver: Any, web: Any) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.move(cluster.places[0], cluster.servers[1])
    driver.run(web.mutate_row(b"a", [put(b"a", b"1"), Put(b"a").add(b"f", b"r", b"2")]))
    assert len(driver.run(web.get(Get(b"a")))) == 2


# -- what is refused before anything is sent -----------------------------------------------


def test_a_put_without_cells_is_refused(driver: Any, web: Any) -> None:
    with pytest.raises(IllegalArgumentError, match="has no cells"):
        driver.run(web.mutate(Put(b"a")))


def test_a_cell_above_the_limit_is_refused(cluster: Any, driver: Any, web: Any) -> None:
    with pytest.raises(IllegalArgumentError, match="the limit is 10485760"):
        driver.run(web.mutate(put(b"a", bytes(10 * 1024 * 1024))))
    assert cluster.calls == []


def test_mutations_of_two_rows_are_not_one_change(driver: Any, web: Any) -> None:
    with pytest.raises(IllegalArgumentError, match="only one row"):
        driver.run(web.mutate_row(b"a", [put(b"a"), put(b"b")]))


def test_not_serving_of_a_table_just_deleted_says_not_found(
    cluster: Any, driver: Any, web: Any
) -> None:
    driver.run(web.mutate(put(b"a")))
    cluster.places.clear()
    del cluster.states[web.name]
    with pytest.raises(TableNotFoundError):
        driver.run(web.get(Get(b"a")))


def test_hbase_meta_is_a_table_like_any_other(cluster: Any, driver: Any, web: Any) -> None:
    meta = driver.table("hbase:meta")
    found = driver.run(meta.get(Get(cluster.places[1].info.name)))
    assert found["info:server"] == b"two:2"
    scanner = meta.scanner(Scan(b"web,,", b"web ,,"))
    batch = driver.run(scanner.next_batch())
    assert batch.row_count == 2
    assert driver.run(scanner.next_batch()) is None


def test_not_serving_errors_are_the_kind_that_is_looked_up() -> None:
    assert issubclass(RegionOpeningError, NotServingRegionError)
