"""Filters from the arguments that the filter language gives them.

Text comes with its quotes. Source: createFilterFromArguments of every filter, ParseFilter.java.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ...errors import IllegalArgumentError
from ...operations import CompareOperator
from . import columns, rows, values
from .comparators import (
    BinaryComparator,
    BinaryPrefixComparator,
    Comparator,
    RegexStringComparator,
    SubstringComparator,
)
from .evaluation import FilterKind
from .java_regex import CASE_INSENSITIVE, DOTALL

_COMPARISONS: Final = {
    b"<": CompareOperator.LESS,
    b"<=": CompareOperator.LESS_OR_EQUAL,
    b"=": CompareOperator.EQUAL,
    b"!=": CompareOperator.NOT_EQUAL,
    b">": CompareOperator.GREATER,
    b">=": CompareOperator.GREATER_OR_EQUAL,
}
_ONLY_EQUALITY: Final = (RegexStringComparator, SubstringComparator)


def _count(arguments: Sequence[bytes], *allowed: int) -> None:
    if len(arguments) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise IllegalArgumentError(f"it takes {wanted} arguments, not {len(arguments)}")


def _text(argument: bytes) -> bytes:
    if len(argument) < 2 or argument[:1] != b"'" or argument[-1:] != b"'":
        raise IllegalArgumentError(f"{argument!r} must stand in single quotes")
    return argument[1:-1]


def _number(argument: bytes, bits: int = 64) -> int:
    digits = argument.removeprefix(b"-")
    if digits.strip(b"0123456789"):
        raise IllegalArgumentError(f"{argument!r} is no whole number")
    size = int(digits[:20] or b"0")
    if size >= 2**63:
        raise IllegalArgumentError(f"{argument!r} is too large: a number has 64 bits")
    number = -size if argument[:1] == b"-" else size
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise IllegalArgumentError(f"{argument!r} does not fit {bits} bits")
    return number


def _boolean(argument: bytes) -> bool:
    known = {b"true": True, b"false": False}.get(argument.lower())
    if known is None:
        raise IllegalArgumentError(f"{argument!r} is neither true nor false")
    return known


def _comparison(argument: bytes) -> CompareOperator:
    if argument not in _COMPARISONS:
        known = " ".join(sorted(one.decode() for one in _COMPARISONS))
        raise IllegalArgumentError(f"{argument!r} is no comparison; there are {known}")
    return _COMPARISONS[argument]


def _comparator(argument: bytes) -> Comparator:
    """Of ``'type:value'``."""
    kind, colon, value = _text(argument).partition(b":")
    if not colon:
        raise IllegalArgumentError(f"{argument!r} is no comparator: write 'binary:value'")
    if kind == b"binary":
        return BinaryComparator(value)
    if kind == b"binaryprefix":
        return BinaryPrefixComparator(value)
    text = value.decode("utf-8", "replace")
    if kind == b"regexstring":
        return RegexStringComparator(text)
    if kind == b"regexstringnocase":
        return RegexStringComparator(text, CASE_INSENSITIVE | DOTALL)
    if kind == b"substring":
        return SubstringComparator(text)
    raise IllegalArgumentError(
        f"no comparator is called {kind!r}; there are binary, binaryprefix, regexstring, "
        "regexstringnocase and substring"
    )


def _compared(operator: bytes, comparator: bytes) -> tuple[CompareOperator, Comparator]:
    known = _comparison(operator), _comparator(comparator)
    is_equality = known[0] in (CompareOperator.EQUAL, CompareOperator.NOT_EQUAL)
    if isinstance(known[1], _ONLY_EQUALITY) and not is_equality:
        raise IllegalArgumentError(
            "regexstring, regexstringnocase and substring are compared by = and != alone"
        )
    return known


def _comparing(
    kind: Callable[[CompareOperator, Comparator], FilterKind],
) -> Callable[[list[bytes]], FilterKind]:
    def make(arguments: list[bytes]) -> FilterKind:
        _count(arguments, 2)
        return kind(*_compared(*arguments))

    return make


def _of_text(kind: Callable[[bytes], FilterKind]) -> Callable[[list[bytes]], FilterKind]:
    def make(arguments: list[bytes]) -> FilterKind:
        _count(arguments, 1)
        return kind(_text(arguments[0]))

    return make


def _of_number(kind: Callable[[int], FilterKind], bits: int) -> Callable[[list[bytes]], FilterKind]:
    def make(arguments: list[bytes]) -> FilterKind:
        _count(arguments, 1)
        return kind(_number(arguments[0], bits))

    return make


def _key_only(arguments: list[bytes]) -> FilterKind:
    _count(arguments, 0, 1)
    return values.KeyOnlyFilter(*map(_boolean, arguments))


def _first_key_only(arguments: list[bytes]) -> FilterKind:
    _count(arguments, 0)
    return columns.FirstKeyOnlyFilter()


def _column_prefixes(arguments: list[bytes]) -> FilterKind:
    return columns.MultipleColumnPrefixFilter(tuple(map(_text, arguments)))


def _column_pages(arguments: list[bytes]) -> FilterKind:
    _count(arguments, 2)
    limit, offset = (_number(one, 32) for one in arguments)
    return columns.ColumnPaginationFilter(limit, offset)


def _column_range(arguments: list[bytes]) -> FilterKind:
    _count(arguments, 4)
    low, with_low, high, with_high = arguments
    return columns.ColumnRangeFilter(
        _text(low) or None, _boolean(with_low), _text(high) or None, _boolean(with_high)
    )


def _timestamps(arguments: list[bytes]) -> FilterKind:
    return values.TimestampsFilter(tuple(map(_number, arguments)))


def _single_column(
    kind: type[values.SingleColumnValueFilter],
) -> Callable[[list[bytes]], FilterKind]:
    def make(arguments: list[bytes]) -> FilterKind:
        _count(arguments, 4, 6)
        family, qualifier = map(_text, arguments[:2])
        operator, comparator = _compared(*arguments[2:4])
        return kind(family, qualifier, operator, comparator, *map(_boolean, arguments[4:]))

    return make


def _column_value(arguments: list[bytes]) -> FilterKind:
    _count(arguments, 4)
    family, qualifier = map(_text, arguments[:2])
    return values.ColumnValueFilter(family, qualifier, *_compared(*arguments[2:]))


def _dependent_column(arguments: list[bytes]) -> FilterKind:
    _count(arguments, 2, 3, 5)
    family, qualifier = map(_text, arguments[:2])
    drops = len(arguments) > 2 and _boolean(arguments[2])
    if len(arguments) < 5:
        return values.DependentColumnFilter(family, qualifier, drops)
    operator, comparator = _comparison(arguments[3]), _comparator(arguments[4])
    return values.DependentColumnFilter(family, qualifier, drops, operator, comparator)


MAKERS: Final[dict[str, Callable[[list[bytes]], FilterKind]]] = {
    "KeyOnlyFilter": _key_only,
    "FirstKeyOnlyFilter": _first_key_only,
    "PrefixFilter": _of_text(rows.PrefixFilter),
    "ColumnPrefixFilter": _of_text(columns.ColumnPrefixFilter),
    "MultipleColumnPrefixFilter": _column_prefixes,
    "ColumnCountGetFilter": _of_number(columns.ColumnCountGetFilter, 32),
    "PageFilter": _of_number(rows.PageFilter, 64),
    "ColumnPaginationFilter": _column_pages,
    "InclusiveStopFilter": _of_text(rows.InclusiveStopFilter),
    "TimestampsFilter": _timestamps,
    "RowFilter": _comparing(rows.RowFilter),
    "FamilyFilter": _comparing(columns.FamilyFilter),
    "QualifierFilter": _comparing(columns.QualifierFilter),
    "ValueFilter": _comparing(values.ValueFilter),
    "ColumnRangeFilter": _column_range,
    "SingleColumnValueFilter": _single_column(values.SingleColumnValueFilter),
    "SingleColumnValueExcludeFilter": _single_column(values.SingleColumnValueExcludeFilter),
    "DependentColumnFilter": _dependent_column,
    "ColumnValueFilter": _column_value,
}
