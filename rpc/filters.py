"""Filters as messages: HBase's class names, each with its fields as bytes of their own.

Source: Filter.proto, ProtobufUtil.toFilter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import Message

from ..errors import IllegalArgumentError, UnsupportedOperationError
from ..operations import CompareOperator, Filter
from ..storage import filters as kinds
from ..storage.filters.lists import DEPTH_MAX
from .comparators import PACKAGE, comparator_from_pb, comparator_to_pb, parsed
from .proto import hbase_pb2 as pb


def filter_to_pb(filter_: Filter) -> pb.Filter:
    """Raises UnsupportedOperationError for a class that HBase does not have."""
    name = type(filter_).__name__
    if name not in _TO_PB:
        raise UnsupportedOperationError(f"filters of class {name}")
    message = _TO_PB[name](filter_)
    return pb.Filter(name=PACKAGE + name, serialized_filter=message.SerializeToString())


def filter_from_pb(message: pb.Filter, depth: int = 1) -> kinds.FilterKind:
    """The filter, which lies ``depth`` deep in others, counting itself.

    Raises UnsupportedOperationError for a class that HBase does not have; BadFrameError and
    IllegalArgumentError for what is not as its class writes it, or nested too deep.
    """
    if depth > DEPTH_MAX:
        raise IllegalArgumentError(f"filters are nested more than {DEPTH_MAX} deep")
    name = message.name.removeprefix(PACKAGE)
    if not message.name.startswith(PACKAGE):
        raise UnsupportedOperationError(f"filters of class {message.name}")
    data = message.serialized_filter
    if name == "FilterList":
        several = parsed(pb.FilterList, data)
        parts = tuple(filter_from_pb(one, depth + 1) for one in several.filters)
        return kinds.FilterList(kinds.ListOperator(several.operator), parts)
    if name in _WRAPPERS:
        wrapped = filter_from_pb(parsed(_WRAPPERS[name], data).filter, depth + 1)
        if name == "SkipFilter":
            return kinds.SkipFilter(wrapped)
        return wrapped if name == "FilterWrapper" else kinds.WhileMatchFilter(wrapped)
    if name not in _FROM_PB:
        raise UnsupportedOperationError(f"filters of class {message.name}")
    return _FROM_PB[name](data)


def _compare_to_pb(filter_: Any) -> pb.CompareFilter:
    if filter_.comparator is None:
        return pb.CompareFilter(compare_op=pb.CompareType.NO_OP)
    return pb.CompareFilter(
        compare_op=filter_.operator.name, comparator=comparator_to_pb(filter_.comparator)
    )


def _operator(code: int) -> CompareOperator:
    """Raises IllegalArgumentError for NO_OP, which compares nothing."""
    if code == pb.CompareType.NO_OP:
        raise IllegalArgumentError("a filter that compares needs an operator, not NO_OP")
    return CompareOperator(code)


def _compare_from_pb(message: pb.CompareFilter) -> tuple[CompareOperator, kinds.Comparator]:
    return _operator(message.compare_op), comparator_from_pb(message.comparator)


def _comparing(
    kind: Callable[[CompareOperator, kinds.Comparator], kinds.FilterKind], message: type[Any]
) -> Callable[[bytes], kinds.FilterKind]:
    def from_pb(data: bytes) -> kinds.FilterKind:
        return kind(*_compare_from_pb(parsed(message, data).compare_filter))

    return from_pb


def _single_column_to_pb(one: kinds.SingleColumnValueFilter) -> pb.SingleColumnValueFilter:
    assert isinstance(one.comparator, kinds.Comparator), "bytes were made one"
    return pb.SingleColumnValueFilter(
        column_family=one.family,
        column_qualifier=one.qualifier,
        compare_op=one.operator.name,
        comparator=comparator_to_pb(one.comparator),
        filter_if_missing=one.filter_if_missing,
        latest_version_only=one.latest_version_only,
    )


def _single_column_from_pb(
    kind: type[kinds.SingleColumnValueFilter], message: pb.SingleColumnValueFilter
) -> kinds.FilterKind:
    return kind(
        message.column_family,
        message.column_qualifier,
        _operator(message.compare_op),
        comparator_from_pb(message.comparator),
        message.filter_if_missing,
        message.latest_version_only,
    )


def _column_value_to_pb(one: kinds.ColumnValueFilter) -> pb.ColumnValueFilter:
    assert isinstance(one.comparator, kinds.Comparator), "bytes were made one"
    return pb.ColumnValueFilter(
        family=one.family,
        qualifier=one.qualifier,
        compare_op=one.operator.name,
        comparator=comparator_to_pb(one.comparator),
    )


def _column_value_from_pb(data: bytes) -> kinds.FilterKind:
    message = parsed(pb.ColumnValueFilter, data)
    return kinds.ColumnValueFilter(
        message.family,
        message.qualifier,
        _operator(message.compare_op),
        comparator_from_pb(message.comparator),
    )


def _dependent_from_pb(data: bytes) -> kinds.FilterKind:
    message = parsed(pb.DependentColumnFilter, data)
    compared = message.compare_filter
    known = _compare_from_pb(compared) if compared.HasField("comparator") else (None, None)
    return kinds.DependentColumnFilter(
        message.column_family, message.column_qualifier, message.drop_dependent_column, *known
    )


def _pages_from_pb(data: bytes) -> kinds.FilterKind:
    message = parsed(pb.ColumnPaginationFilter, data)
    offset = message.column_offset if message.HasField("column_offset") else message.offset
    return kinds.ColumnPaginationFilter(message.limit, offset)


def _column_range_from_pb(data: bytes) -> kinds.FilterKind:
    message = parsed(pb.ColumnRangeFilter, data)
    return kinds.ColumnRangeFilter(
        message.min_column if message.HasField("min_column") else None,
        message.min_column_inclusive,
        message.max_column if message.HasField("max_column") else None,
        message.max_column_inclusive,
    )


def _ranges_to_pb(one: kinds.MultiRowRangeFilter) -> pb.MultiRowRangeFilter:
    message = pb.MultiRowRangeFilter()
    for part in one.ranges:
        message.row_range_list.add(
            start_row=part.start,
            start_row_inclusive=part.include_start,
            stop_row=part.stop,
            stop_row_inclusive=part.include_stop,
        )
    return message


def _ranges_from_pb(data: bytes) -> kinds.FilterKind:
    return kinds.MultiRowRangeFilter(
        tuple(
            kinds.RowRange(
                part.start_row, part.start_row_inclusive, part.stop_row, part.stop_row_inclusive
            )
            for part in parsed(pb.MultiRowRangeFilter, data).row_range_list
        )
    )


def _fuzzy_to_pb(one: kinds.FuzzyRowFilter) -> pb.FuzzyRowFilter:
    message = pb.FuzzyRowFilter(is_mask_v2=True)
    for key, mask in one.patterns:
        message.fuzzy_keys_data.add(first=key, second=mask)
    return message


_WRAPPERS: Final[dict[str, type[Any]]] = {
    "SkipFilter": pb.SkipFilter,
    "WhileMatchFilter": pb.WhileMatchFilter,
    "FilterWrapper": pb.FilterWrapper,
}
_TO_PB: Final[dict[str, Callable[[Any], Message]]] = {
    "FilterList": lambda one: pb.FilterList(
        operator=one.operator.value, filters=map(filter_to_pb, one.filters)
    ),
    "SkipFilter": lambda one: pb.SkipFilter(filter=filter_to_pb(one.filter)),
    "WhileMatchFilter": lambda one: pb.WhileMatchFilter(filter=filter_to_pb(one.filter)),
    "RowFilter": lambda one: pb.RowFilter(compare_filter=_compare_to_pb(one)),
    "FamilyFilter": lambda one: pb.FamilyFilter(compare_filter=_compare_to_pb(one)),
    "QualifierFilter": lambda one: pb.QualifierFilter(compare_filter=_compare_to_pb(one)),
    "ValueFilter": lambda one: pb.ValueFilter(compare_filter=_compare_to_pb(one)),
    "SingleColumnValueFilter": _single_column_to_pb,
    "SingleColumnValueExcludeFilter": lambda one: pb.SingleColumnValueExcludeFilter(
        single_column_value_filter=_single_column_to_pb(one)
    ),
    "ColumnValueFilter": _column_value_to_pb,
    "DependentColumnFilter": lambda one: pb.DependentColumnFilter(
        compare_filter=_compare_to_pb(one),
        column_family=one.family,
        column_qualifier=one.qualifier,
        drop_dependent_column=one.drop_dependent_column,
    ),
    "PrefixFilter": lambda one: pb.PrefixFilter(prefix=one.prefix),
    "InclusiveStopFilter": lambda one: pb.InclusiveStopFilter(stop_row_key=one.row),
    "PageFilter": lambda one: pb.PageFilter(page_size=one.page_size),
    "RandomRowFilter": lambda one: pb.RandomRowFilter(chance=one.chance),
    "MultiRowRangeFilter": _ranges_to_pb,
    "FuzzyRowFilter": _fuzzy_to_pb,
    "ColumnPrefixFilter": lambda one: pb.ColumnPrefixFilter(prefix=one.prefix),
    "MultipleColumnPrefixFilter": lambda one: pb.MultipleColumnPrefixFilter(
        sorted_prefixes=one.prefixes
    ),
    "ColumnRangeFilter": lambda one: pb.ColumnRangeFilter(
        min_column=one.min_column,
        min_column_inclusive=one.include_min,
        max_column=one.max_column,
        max_column_inclusive=one.include_max,
    ),
    "ColumnCountGetFilter": lambda one: pb.ColumnCountGetFilter(limit=one.limit),
    "ColumnPaginationFilter": lambda one: pb.ColumnPaginationFilter(
        limit=one.limit,
        **{"column_offset" if isinstance(one.offset, bytes) else "offset": one.offset},
    ),
    "FirstKeyOnlyFilter": lambda one: pb.FirstKeyOnlyFilter(),
    "FirstKeyValueMatchingQualifiersFilter": lambda one: pb.FirstKeyValueMatchingQualifiersFilter(
        qualifiers=sorted(one.qualifiers)
    ),
    "KeyOnlyFilter": lambda one: pb.KeyOnlyFilter(len_as_val=one.length_as_value),
    "TimestampsFilter": lambda one: pb.TimestampsFilter(
        timestamps=one.timestamps, can_hint=one.can_hint
    ),
}
_FROM_PB: Final[dict[str, Callable[[bytes], kinds.FilterKind]]] = {
    "RowFilter": _comparing(kinds.RowFilter, pb.RowFilter),
    "FamilyFilter": _comparing(kinds.FamilyFilter, pb.FamilyFilter),
    "QualifierFilter": _comparing(kinds.QualifierFilter, pb.QualifierFilter),
    "ValueFilter": _comparing(kinds.ValueFilter, pb.ValueFilter),
    "SingleColumnValueFilter": lambda data: _single_column_from_pb(
        kinds.SingleColumnValueFilter, parsed(pb.SingleColumnValueFilter, data)
    ),
    "SingleColumnValueExcludeFilter": lambda data: _single_column_from_pb(
        kinds.SingleColumnValueExcludeFilter,
        parsed(pb.SingleColumnValueExcludeFilter, data).single_column_value_filter,
    ),
    "ColumnValueFilter": _column_value_from_pb,
    "DependentColumnFilter": _dependent_from_pb,
    "PrefixFilter": lambda data: kinds.PrefixFilter(parsed(pb.PrefixFilter, data).prefix),
    "InclusiveStopFilter": lambda data: kinds.InclusiveStopFilter(
        parsed(pb.InclusiveStopFilter, data).stop_row_key
    ),
    "PageFilter": lambda data: kinds.PageFilter(parsed(pb.PageFilter, data).page_size),
    "RandomRowFilter": lambda data: kinds.RandomRowFilter(parsed(pb.RandomRowFilter, data).chance),
    "MultiRowRangeFilter": _ranges_from_pb,
    "FuzzyRowFilter": lambda data: kinds.FuzzyRowFilter(
        tuple((one.first, one.second) for one in parsed(pb.FuzzyRowFilter, data).fuzzy_keys_data)
    ),
    "ColumnPrefixFilter": lambda data: kinds.ColumnPrefixFilter(
        parsed(pb.ColumnPrefixFilter, data).prefix
    ),
    "MultipleColumnPrefixFilter": lambda data: kinds.MultipleColumnPrefixFilter(
        tuple(parsed(pb.MultipleColumnPrefixFilter, data).sorted_prefixes)
    ),
    "ColumnRangeFilter": _column_range_from_pb,
    "ColumnCountGetFilter": lambda data: kinds.ColumnCountGetFilter(
        parsed(pb.ColumnCountGetFilter, data).limit
    ),
    "ColumnPaginationFilter": _pages_from_pb,
    "FirstKeyOnlyFilter": lambda data: kinds.FirstKeyOnlyFilter(),
    "FirstKeyValueMatchingQualifiersFilter": lambda data: (
        kinds.FirstKeyValueMatchingQualifiersFilter(
            frozenset(parsed(pb.FirstKeyValueMatchingQualifiersFilter, data).qualifiers)
        )
    ),
    "KeyOnlyFilter": lambda data: kinds.KeyOnlyFilter(parsed(pb.KeyOnlyFilter, data).len_as_val),
    "TimestampsFilter": lambda data: kinds.TimestampsFilter(
        tuple(parsed(pb.TimestampsFilter, data).timestamps),
        parsed(pb.TimestampsFilter, data).can_hint,
    ),
}
