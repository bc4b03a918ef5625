"""Results, columns and arguments: what a user writes and reads."""

from __future__ import annotations

import pytest

from raybase.client.arguments import (
    as_columns,
    as_delete,
    as_descriptor,
    as_get,
    as_put,
    as_scan,
    prefix_stop,
)
from raybase.client.result import Columns, empty_result, results, single_result, text
from raybase.errors import IllegalArgumentError
from raybase.model import CellType, TimeRange
from raybase.operations import Get, Put
from raybase.storage.cells import CellBatch


def batch(*rows: tuple[bytes, list[tuple[bytes, bytes, int, bytes]]]) -> CellBatch:
    made = CellBatch()
    for row, cells in rows:
        for family, qualifier, timestamp, value in cells:
            made.append(row, family, qualifier, timestamp, CellType.PUT.value, value)
        made.end_row()
    return made


ROW = (
    b"r",
    [
        (b"f", b"", 9, b"empty qualifier"),
        (b"f", b"q", 7, b"newest"),
        (b"f", b"q", 3, b"older"),
        (b"g", b"n", 1, (5).to_bytes(8, "big")),
    ],
)


def test_a_result_maps_columns_to_their_newest_values() -> None:
    result = single_result(b"r", batch(ROW))
    assert list(result) == [b"f:", b"f:q", b"g:n"]
    assert result[b"f:q"] == result["f:q"] == b"newest"
    assert result.get("f:none") is None
    assert "f:none" not in result
    assert 3 not in result
    with pytest.raises(KeyError):
        result["f:none"]
    assert len(result) == 3
    assert len(result.cells) == 4


def test_versions_and_timestamps_are_at_hand() -> None:
    result = single_result(b"r", batch(ROW))
    assert [cell.value for cell in result.versions("f:q")] == [b"newest", b"older"]
    assert result.versions("f:none") == []
    cell = result.cell(b"f:q")
    assert cell is not None
    assert (cell.column, cell.timestamp, cell.type) == (b"f:q", 7, CellType.PUT)
    assert result.cell("f:none") is None


def test_counters_and_families() -> None:
    result = single_result(b"r", batch(ROW))
    assert result.number("g:n") == 5
    assert result.number("g:none") == 0
    with pytest.raises(IllegalArgumentError, match="a counter has 8"):
        result.number("f:q")
    assert result.family("f") == {b"": b"empty qualifier", b"q": b"newest"}


def test_an_empty_result_is_false() -> None:
    assert not empty_result(b"r")
    assert single_result(b"r", batch(ROW))
    assert empty_result(b"r") != single_result(b"r", batch(ROW))


def test_a_notebook_sees_escaped_html() -> None:
    result = single_result(b"r", batch((b"r", [(b"f", b"q", 1, b"<b>\x00")])))
    html = result._repr_html_()
    assert "&lt;b&gt;\\x00" in html
    assert "<b>" not in html


def test_rows_of_a_batch_are_results() -> None:
    found = list(results(batch(ROW, (b"s", [(b"f", b"q", 1, b"x")]))))
    assert [one.row for one in found] == [b"r", b"s"]
    assert len(found[0]) == 3
    assert found[1]["f:q"] == b"x"


def test_columns_find_one_column_and_make_arrays() -> None:
    columns = Columns([batch(ROW), batch((b"s", [(b"g", b"n", 2, (6).to_bytes(8, "big"))]))])
    assert len(columns) == 5
    assert columns.row_count == 2
    assert columns.row_ends.tolist() == [4, 5]
    assert columns.of("g:n")[0] == [b"r", b"s"]
    assert columns.array("g:n", ">i8").tolist() == [5, 6]
    with pytest.raises(IllegalArgumentError, match="a value of 6 bytes"):
        columns.array("f:q", ">i8")
    assert list(columns.as_dict()) == ["row", "family", "qualifier", "timestamp", "value"]


def test_bytes_are_shown_as_text_where_they_can_be() -> None:
    assert text(b"a\\\x00\xff~") == "a\\x5C\\x00\\xFF~"


def test_columns_are_families_or_single_columns() -> None:
    assert as_columns(None) == {}
    assert as_columns("f") == {b"f": None}
    assert as_columns(["f:a", b"f:b", "g:"]) == {b"f": (b"a", b"b"), b"g": (b"",)}
    assert as_columns(["f:a", "f"]) == {b"f": None}
    assert as_columns(["f", "f:a"]) == {b"f": None}
    with pytest.raises(IllegalArgumentError):
        as_columns(":q")


def test_times_are_a_range_or_one_timestamp() -> None:
    assert as_get("r", time_range=(1, 5)).time_range == TimeRange(1, 5)
    assert as_get("r", timestamp=4).time_range == TimeRange(4, 5)
    with pytest.raises(IllegalArgumentError, match="not both"):
        as_get("r", time_range=(1, 5), timestamp=4)
    get = Get(b"r", max_versions=3)
    assert as_get(get) is get


def test_text_becomes_utf8_and_other_types_are_refused() -> None:
    assert as_put("ä", {"f:q": "ö"}).cells[0][4] == "ö".encode()
    with pytest.raises(IllegalArgumentError, match="a value is bytes or text, not int"):
        as_put("r", {"f:q": 1})  # type: ignore[dict-item]
    with pytest.raises(IllegalArgumentError, match="'family:qualifier'"):
        as_put("r", {"f": b""})
    with pytest.raises(IllegalArgumentError, match="not both"):
        as_put(Put(b"r"), {"f:q": b""})
    with pytest.raises(IllegalArgumentError, match="row key must not be empty"):
        as_put("", {"f:q": b""})
    with pytest.raises(IllegalArgumentError, match="limit is 32767"):
        as_get(b"x" * 32768)


def test_a_delete_names_row_families_or_columns() -> None:
    assert as_delete("r", None).cells == []
    cells = as_delete("r", ["f", "g:q"], timestamp=9).cells
    assert [(one[0], one[1], one[2], one[3]) for one in cells] == [
        (b"f", b"", 9, CellType.DELETE_FAMILY),
        (b"g", b"q", 9, CellType.DELETE_COLUMN),
    ]


def test_prefixes_end_at_the_next_row_that_lacks_them() -> None:
    assert prefix_stop(b"ab") == b"ac"
    assert prefix_stop(b"a\xff\xff") == b"b"
    assert prefix_stop(b"\xff") == b""
    assert prefix_stop(b"") == b""
    with pytest.raises(IllegalArgumentError, match="not both"):
        as_scan("a", prefix="b", result_bytes=1)


def test_tables_are_described_by_names_options_or_descriptor() -> None:
    described = as_descriptor("t", {"f": {"max_versions": 3}}, {"flush_bytes": 9})
    assert described.families[0].max_versions == 3
    assert described.flush_bytes == 9
    assert as_descriptor("t", described, {}) is described
    assert [one.name for one in as_descriptor("t", "f", {}).families] == [b"f"]
    with pytest.raises(IllegalArgumentError, match="not an option of a column family"):
        as_descriptor("t", {"f": {"nope": 1}}, {})
    with pytest.raises(IllegalArgumentError, match="not an option of a table"):
        as_descriptor("t", ["f"], {"nope": 1})
    with pytest.raises(IllegalArgumentError, match="at least one column family"):
        as_descriptor("t", [], {})
