"""Filters and comparators as messages: all that HBase has, and nothing else."""

from __future__ import annotations

import pytest

from raybase.errors import BadFrameError, IllegalArgumentError, UnsupportedOperationError
from raybase.operations import CompareOperator, Filter
from raybase.rpc.comparators import PACKAGE, comparator_from_pb, comparator_to_pb
from raybase.rpc.filters import filter_from_pb, filter_to_pb
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.storage import filters as kinds

EQUAL = CompareOperator.EQUAL
COMPARATORS = [
    kinds.BinaryComparator(b"\0v"),
    kinds.BinaryPrefixComparator(b"v"),
    kinds.BinaryComponentComparator(b"v", 3),
    kinds.BitComparator(b"v", kinds.BitwiseOp.XOR),
    kinds.LongComparator(-5),
    kinds.BigDecimalComparator(-12345, -3),
    kinds.NullComparator(),
    kinds.SubstringComparator("Text"),
    kinds.RegexStringComparator("a.*b", 2, "ISO-8859-1"),
]
ONE = COMPARATORS[0]
FILTERS: list[kinds.FilterKind] = [
    kinds.FilterList.all_of(kinds.KeyOnlyFilter(True), kinds.FilterList.one_of()),
    kinds.SkipFilter(kinds.WhileMatchFilter(kinds.PrefixFilter(b"p"))),
    kinds.RowFilter(CompareOperator.LESS, ONE),
    kinds.InclusiveStopFilter(b"stop"),
    kinds.PageFilter(2**40),
    kinds.RandomRowFilter(0.25),
    kinds.MultiRowRangeFilter((kinds.RowRange(b"a", False, b"b", True), kinds.RowRange(b"x"))),
    kinds.FuzzyRowFilter(((b"a\0c", b"\0\1\0"),)),
    kinds.FamilyFilter(EQUAL, ONE),
    kinds.QualifierFilter(CompareOperator.NOT_EQUAL, ONE),
    kinds.ColumnPrefixFilter(b"p"),
    kinds.MultipleColumnPrefixFilter((b"b", b"a")),
    kinds.ColumnRangeFilter(None, False, b"b", True),
    kinds.ColumnRangeFilter(b"a"),
    kinds.ColumnCountGetFilter(3),
    kinds.ColumnPaginationFilter(3, 4),
    kinds.ColumnPaginationFilter(3, b"q"),
    kinds.FirstKeyOnlyFilter(),
    kinds.FirstKeyValueMatchingQualifiersFilter(frozenset((b"a", b"b"))),
    kinds.ValueFilter(CompareOperator.GREATER, ONE),
    kinds.TimestampsFilter((5, 3), True),
    kinds.SingleColumnValueFilter(b"f", b"q", EQUAL, b"v", True, False),
    kinds.SingleColumnValueExcludeFilter(b"f", b"q", EQUAL, ONE),
    kinds.ColumnValueFilter(b"f", b"q", EQUAL, ONE),
    kinds.DependentColumnFilter(b"f", b"q", True),
    kinds.DependentColumnFilter(b"f", b"q", False, EQUAL, ONE),
]


@pytest.mark.parametrize("comparator", COMPARATORS, ids=lambda one: type(one).__name__)
def test_a_comparator_survives(comparator: kinds.Comparator) -> None:
    assert comparator_from_pb(comparator_to_pb(comparator)) == comparator


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: type(one).__name__)
def test_a_filter_survives_and_its_broken_bytes_are_refused(one: kinds.FilterKind) -> None:
    message = filter_to_pb(one)
    assert message.name == PACKAGE + type(one).__name__
    assert filter_from_pb(message) == one
    if message.serialized_filter and not isinstance(one, kinds.FirstKeyOnlyFilter):
        message.serialized_filter = b"\xff" + message.serialized_filter
        with pytest.raises((BadFrameError, IllegalArgumentError)):
            filter_from_pb(message)


def test_every_filter_there_is_can_be_sent() -> None:
    sent = {type(one) for one in FILTERS} | {kinds.KeyOnlyFilter, kinds.WhileMatchFilter}
    there = {
        one
        for one in vars(kinds).values()
        if isinstance(one, type) and issubclass(one, Filter) and one is not kinds.FilterKind
    }
    assert there - sent == {kinds.PrefixFilter}


@pytest.mark.parametrize(
    "name",
    ["PageFilter", PACKAGE + "OwnFilter", "com.example.PageFilter", PACKAGE + "BinaryComparator"],
)
def test_a_class_that_hbase_does_not_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedOperationError, match=name):
        filter_from_pb(pb.Filter(name=name))
    with pytest.raises(UnsupportedOperationError, match=r"com\.example\.Mine"):
        comparator_from_pb(pb.Comparator(name="com.example.Mine"))


def test_filters_nested_too_deep_are_refused_before_they_are_read() -> None:
    message = filter_to_pb(kinds.PrefixFilter(b"p"))
    for _ in range(99):
        wrapped = pb.SkipFilter(filter=message).SerializeToString()
        message = pb.Filter(name=PACKAGE + "SkipFilter", serialized_filter=wrapped)
    assert isinstance(filter_from_pb(message), kinds.SkipFilter)
    wrapped = pb.FilterList(operator=1, filters=[message]).SerializeToString()
    with pytest.raises(IllegalArgumentError, match="100 deep"):
        filter_from_pb(pb.Filter(name=PACKAGE + "FilterList", serialized_filter=wrapped))


def test_hbases_own_wrapper_is_taken_off() -> None:
    wrapped = pb.FilterWrapper(filter=filter_to_pb(kinds.PageFilter(3))).SerializeToString()
    message = pb.Filter(name=PACKAGE + "FilterWrapper", serialized_filter=wrapped)
    assert filter_from_pb(message) == kinds.PageFilter(3)


def test_masks_as_servers_hold_them_mean_the_same() -> None:
    plain = kinds.FuzzyRowFilter(((b"abc", b"\0\1\0"),))
    for mask in (b"\xff\2\xff", b"\xff\0\xff"):
        assert kinds.FuzzyRowFilter(((b"axc", mask),)) == plain
