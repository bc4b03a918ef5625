"""Filters: which rows and cells of a read a client wants, decided where the data is.

Their names, arguments and answers are HBase's; ``parse_filter`` reads its filter language.
"""

from .columns import (
    ColumnCountGetFilter,
    ColumnPaginationFilter,
    ColumnPrefixFilter,
    ColumnRangeFilter,
    FamilyFilter,
    FirstKeyOnlyFilter,
    FirstKeyValueMatchingQualifiersFilter,
    MultipleColumnPrefixFilter,
    QualifierFilter,
)
from .comparators import (
    BigDecimalComparator,
    BinaryComparator,
    BinaryComponentComparator,
    BinaryPrefixComparator,
    BitComparator,
    BitwiseOp,
    Comparator,
    LongComparator,
    NullComparator,
    RegexStringComparator,
    SubstringComparator,
)
from .evaluation import FilterKind
from .language import FILTER_NAMES, parse_filter
from .lists import FilterList, ListOperator, SkipFilter, WhileMatchFilter
from .row_ranges import FuzzyRowFilter, MultiRowRangeFilter, RowRange
from .rows import InclusiveStopFilter, PageFilter, PrefixFilter, RandomRowFilter, RowFilter
from .values import (
    ColumnValueFilter,
    DependentColumnFilter,
    KeyOnlyFilter,
    SingleColumnValueExcludeFilter,
    SingleColumnValueFilter,
    TimestampsFilter,
    ValueFilter,
)

__all__ = [
    "FilterKind",
    "parse_filter",
    "FILTER_NAMES",
    "FilterList",
    "ListOperator",
    "SkipFilter",
    "WhileMatchFilter",
    "RowFilter",
    "PrefixFilter",
    "InclusiveStopFilter",
    "PageFilter",
    "RandomRowFilter",
    "MultiRowRangeFilter",
    "RowRange",
    "FuzzyRowFilter",
    "FamilyFilter",
    "QualifierFilter",
    "ColumnPrefixFilter",
    "MultipleColumnPrefixFilter",
    "ColumnRangeFilter",
    "ColumnCountGetFilter",
    "ColumnPaginationFilter",
    "FirstKeyOnlyFilter",
    "FirstKeyValueMatchingQualifiersFilter",
    "ValueFilter",
    "KeyOnlyFilter",
    "TimestampsFilter",
    "SingleColumnValueFilter",
    "SingleColumnValueExcludeFilter",
    "ColumnValueFilter",
    "DependentColumnFilter",
    "Comparator",
    "BinaryComparator",
    "BinaryPrefixComparator",
    "BinaryComponentComparator",
    "BitComparator",
    "BitwiseOp",
    "BigDecimalComparator",
    "LongComparator",
    "NullComparator",
    "RegexStringComparator",
    "SubstringComparator",
]
