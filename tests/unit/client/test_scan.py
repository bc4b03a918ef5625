"""A scan hands out every row once, whole and in order, whatever happens to its regions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raybase.client.arguments import as_scan
from raybase.client.result import Columns, results
from raybase.errors import (
    CallTimedOutError,
    ConnectionLostError,
    NoSuchFamilyError,
    OutOfOrderScannerNextError,
    RetriesExhaustedError,
    ScannerResetError,
    TableNotEnabledError,
    UnknownScannerError,
)
from raybase.operations import Scan
from raybase.storage.filters import FilterList, PageFilter


@pytest.fixture
def web(cluster: Any, driver: Any) -> Any:
    table = cluster.add_table("web", b"0010", b"0020")
    cluster.fill(table, 30, columns=3)
    return driver.table("web")


def batches(driver: Any, scanner: Any) -> Any:
    while (batch := driver.run(scanner.next_batch())) is not None:
        yield batch


def rows(driver: Any, table: Any, **arguments: Any) -> list[bytes]:
    scan = as_scan(**arguments, result_bytes=2**20)
    found = [row for batch in batches(driver, table.scanner(scan)) for row in results(batch)]
    for row in found:
        assert len(row) == 3, "a row came in part"
    return [row.row for row in found]


def is_next(call: Any) -> bool:
    return call.method == "Scan" and call.message.HasField("scanner_id")


def names(*numbers: int) -> list[bytes]:
    return [b"%04d" % number for number in numbers]


def test_all_rows_of_all_regions_come_in_order(driver: Any, web: Any) -> None:
    assert rows(driver, web) == names(*range(30))


def test_start_is_in_and_stop_is_out(driver: Any, web: Any) -> None:
    assert rows(driver, web, start="0008", stop="0012") == names(8, 9, 10, 11)
    assert rows(driver, web, start="0008", stop="0010") == names(8, 9)


def test_bounds_can_be_turned_round(driver: Any, web: Any) -> None:
    assert rows(
        driver, web, start="0008", stop="0010", include_start=False, include_stop=True
    ) == names(9, 10)


def test_a_prefix_is_a_range(driver: Any, web: Any) -> None:
    assert rows(driver, web, prefix="001") == names(*range(10, 20))


def test_rows_above_the_stop_row_ask_no_region(cluster: Any, driver: Any, web: Any) -> None:
    rows(driver, web, stop="0010")
    assert [method for _, method in cluster.calls].count("Scan") == 2, "lookup and one region"


def test_a_limit_ends_the_scan_across_regions(cluster: Any, driver: Any, web: Any) -> None:
    assert rows(driver, web, start="0005", limit=12) == names(*range(5, 17))
    assert cluster.scanners == {}


def test_caching_bounds_the_rows_of_an_answer(driver: Any, web: Any) -> None:
    scanner = web.scanner(Scan(caching=4))
    assert [batch.row_count for batch in batches(driver, scanner)] == [4, 4, 2] * 3


def test_reversed_goes_down_through_the_regions(driver: Any, web: Any) -> None:
    assert rows(driver, web, reversed=True) == names(*reversed(range(30)))
    assert rows(driver, web, start="0021", stop="0018", reversed=True) == names(21, 20, 19)
    assert rows(driver, web, prefix="001", reversed=True) == names(*reversed(range(10, 20)))
    assert rows(
        driver, web, start="0020", stop="0018", reversed=True, include_start=False
    ) == names(19)


def test_an_empty_range_is_empty(driver: Any, web: Any) -> None:
    assert rows(driver, web, start="0100") == []


@pytest.mark.parametrize("cells", [1, 2, 4, 7])
def test_a_row_in_parts_comes_whole(cluster: Any, driver: Any, web: Any, cells: int) -> None:
    cluster.cells_per_answer = cells
    assert rows(driver, web) == names(*range(30))
    assert rows(driver, web, limit=11) == names(*range(11))


@pytest.mark.parametrize(
    "error",
    [
        UnknownScannerError("x"),
        OutOfOrderScannerNextError("x"),
        ScannerResetError("x"),
        CallTimedOutError("x"),
        ConnectionLostError("x"),
    ],
)
@pytest.mark.parametrize("cells", [2, 4])
def test_a_lost_scanner_is_opened_again_behind_the_last_whole_row(
    cluster: Any, driver: Any, web: Any, error: Any, cells: int
) -> None:
    cluster.cells_per_answer = cells
    for calls_before in range(3, 12):
        driver.core.cache.drop_table(web.name)
        scanner = web.scanner(Scan())
        count = 0

        def lose(call: Any, lost_at: int = calls_before) -> None:
            nonlocal count
            count += call.method == "Scan"
            if count == lost_at:
                cluster.faults["Scan"] = [error]

        driver.before_call = lose
        found = [row for one in batches(driver, scanner) for row in results(one)]
        assert [row.row for row in found] == names(*range(30))
        assert {len(row) for row in found} == {3}


@pytest.mark.parametrize("cells", [1, 2, 4])
def test_parts_of_rows_come_as_they_are_and_no_cell_twice(
    cluster: Any, driver: Any, web: Any, cells: int
) -> None:
    cluster.cells_per_answer = cells
    for lost_at in range(2, 14):
        driver.core.cache.drop_table(web.name)
        scanner = web.scanner(Scan(allow_partial=True))
        count = 0

        def lose(call: Any, lost_at: int = lost_at) -> None:
            nonlocal count
            count += call.method == "Scan"
            if count == lost_at:
                cluster.faults["Scan"] = [UnknownScannerError("x")]

        driver.before_call = lose
        parts = [row for one in batches(driver, scanner) for row in results(one)]
        found = [(part.row, cell.column) for part in parts for cell in part.cells]
        assert found == sorted(set(found))
        assert len(found) == 90
        assert len(parts) > 30 or cells == 4


@pytest.mark.parametrize("limit", [0, 5, 20])
def test_a_page_is_counted_over_all_regions(driver: Any, web: Any, limit: int) -> None:
    page = FilterList.all_of(PageFilter(12), FilterList.all_of())
    expected = names(*range(min(limit or 12, 12)))
    assert rows(driver, web, filter=page, limit=limit) == expected
    assert rows(driver, web, filter="PageFilter(0)") == []


def test_a_reset_scanner_is_opened_again_without_a_pause(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.cells_per_answer = 6
    scanner = web.scanner(Scan())
    driver.run(scanner.next_batch())
    cluster.scanners.clear()
    driver.run(scanner.next_batch())
    assert driver.pauses == []


def test_a_half_row_read_before_a_loss_is_read_again_from_its_beginning(
    cluster: Any, driver: Any, web: Any
) -> None:
    """Else the row would be put together from two states of it."""
    cluster.cells_per_answer = 2
    scanner = web.scanner(Scan(stop_row=b"0001"))
    changed = False

    def change(call: Any) -> None:
        nonlocal changed
        if is_next(call) and not changed:
            changed = True
            cluster.scanners.clear()
            for column in cluster.rows[web.name][b"0000"]:
                cluster.rows[web.name][b"0000"][column] = (6, b"new")

    driver.before_call = change
    found = [row for one in batches(driver, scanner) for row in results(one)]
    assert [set(row.values()) for row in found] == [{b"new"}]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cells=st.integers(1, 9),
    reverse=st.booleans(),
    events=st.lists(
        st.tuples(
            st.integers(1, 40), st.sampled_from(["split", "move", "forget"]), st.integers(0, 29)
        ),
        max_size=6,
    ),
)
def test_regions_may_split_and_move_under_a_scan(
    new_driver: Any, cells: int, reverse: bool, events: list[tuple[int, str, int]]
) -> None:
    driver = new_driver()
    cluster = driver.cluster
    table = cluster.add_table("web", b"0010", b"0020")
    cluster.fill(table, 30, columns=3)
    cluster.cells_per_answer = cells
    count = 0

    def meddle(call: Any) -> None:
        nonlocal count
        count += 1
        for when, event, number in events:
            if when != count:
                continue
            row = b"%04d" % number
            place = cluster.place(table, row)
            if event == "split" and place.info.start_key != row:
                cluster.split(place, row)
            elif event == "move":
                cluster.move(place, next(one for one in cluster.servers if one != place.server))
            elif event == "forget":
                cluster.scanners.clear()

    driver.before_call = meddle
    expected = names(*range(30))
    if reverse:
        expected.reverse()
    assert rows(driver, driver.table("web"), reversed=reverse) == expected


def test_a_scan_that_is_left_early_closes_its_scanner(cluster: Any, driver: Any, web: Any) -> None:
    cluster.cells_per_answer = 6
    scanner = web.scanner(Scan())
    driver.run(scanner.next_batch())
    assert cluster.scanners
    driver.run(scanner.close())
    assert cluster.scanners == {}
    assert driver.run(scanner.next_batch()) is None


def test_closing_raises_nothing_when_the_server_is_gone(
    cluster: Any, driver: Any, web: Any
) -> None:
    cluster.cells_per_answer = 6
    scanner = web.scanner(Scan())
    driver.run(scanner.next_batch())
    cluster.kill(cluster.servers[0])
    driver.run(scanner.close())


def test_a_scan_of_a_disabled_table_says_so(cluster: Any, driver: Any, web: Any) -> None:
    rows(driver, web)
    cluster.states[web.name] = 1
    with pytest.raises(TableNotEnabledError):
        rows(driver, web)


def test_a_wrong_request_fails_at_once(cluster: Any, driver: Any, web: Any) -> None:
    driver.run(driver.core.locate(web.name, b""))
    cluster.faults["Scan"] = [NoSuchFamilyError("no family g")]
    with pytest.raises(NoSuchFamilyError):
        rows(driver, web)


def test_a_scan_gives_up_only_after_failures_in_a_row(cluster: Any, driver: Any, web: Any) -> None:
    cluster.cells_per_answer = 3
    nexts = 0

    def fail_every_other(call: Any) -> None:
        nonlocal nexts
        nexts += is_next(call)
        if is_next(call) and nexts % 2:
            cluster.faults["Scan"] = [CallTimedOutError("x")]

    driver.before_call = fail_every_other
    assert rows(driver, web) == names(*range(30))
    assert len(driver.pauses) > 12
    assert set(driver.pauses) == {0.1}
    driver.before_call = lambda _: None
    cluster.faults["Scan"] = [CallTimedOutError("x") for _ in range(99)]
    with pytest.raises(RetriesExhaustedError, match="gave up Scan of table web from row b''"):
        rows(driver, web)


def test_columns_join_all_batches(cluster: Any, driver: Any, web: Any) -> None:
    cluster.cells_per_answer = 4
    scan = as_scan(columns=["f:q1"], result_bytes=2**20)
    columns = Columns(batches(driver, web.scanner(scan)))
    assert len(columns) == columns.row_count == 30
    assert columns.rows == names(*range(30))
    assert columns.values[7] == b"v7.1"
    assert columns.row_ends.tolist() == list(range(1, 31))
    assert set(columns.timestamps.tolist()) == {5}
