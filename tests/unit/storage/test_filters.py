"""Comparators, regular expressions of Java's, and the bounds of what clients may send."""

from __future__ import annotations

import pickle
import time

import pytest

from raybase.errors import (
    IllegalArgumentError,
    IncompatibleFilterError,
    InvalidRequestError,
    UnsupportedOperationError,
)
from raybase.operations import CompareOperator, Scan
from raybase.storage import filters as kinds
from raybase.storage.filters.comparators import passes
from raybase.storage.filters.java_regex import (
    CASE_INSENSITIVE,
    COMMENTS,
    DOTALL,
    LITERAL,
    MULTILINE,
    UNICODE_CASE,
    UNIX_LINES,
)


def finds(pattern: str, text: str | bytes, flags: int = DOTALL) -> bool:
    stored = text.encode() if isinstance(text, str) else text
    return kinds.RegexStringComparator(pattern, flags).compare(stored) == 0


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        ("a.c", ["a\nc", "xabcx"], ["ac"]),
        ("^a", ["a"], ["ba", "b\na"]),
        ("a$", ["a", "a\n", "a\r\n", "a\u2028"], ["a\nb", "ab"]),
        (r"a\Z", ["a\n"], ["a\n\n"]),
        (r"a\z", ["a"], ["a\n"]),
        (r"\Qa.b\E+", ["a.bb"], ["axb"]),
        (r"[a-c&&[^b]]", ["a", "c"], ["b", "d"]),
        (r"[a-c[x-z]]", ["b", "y"], ["m"]),
        (r"[^\d\s]", ["x"], ["1 2", "\x0b"]),
        (r"[]a]", ["]", "a"], ["b"]),
        (r"[a\]-]", ["]", "-"], ["b"]),
        (r"\p{Upper}\p{Punct}", ["A!"], ["a!", "A1"]),
        (r"\p{L}+1", ["é1"], ["11"]),
        (r"\P{L}", ["1"], ["é"]),
        (r"\p{IsGreek}", ["λ"], ["l"]),
        (r"\x41\u00e9\x{1F600}\0101\t", ["Aé😀A\t"], ["A"]),
        (r"(?<name>a|b)(?:c)", ["bc"], ["cc"]),
        ("(?i)AbC(?-i)d", ["aBcd"], ["abcD"]),
        ("(?i:a)b", ["Ab"], ["AB"]),
        ("(?i)[a-b]é", ["Aé"], ["aÉ"]),
        (r"a{2,3}?b", ["aab"], ["ab"]),
        (r"\h\v\R", ["\u00a0\x0b\r\n"], ["a\n\n"]),
        (r"\bfoo\b", ["a foo b"], ["afoo"]),
        ("é", ["é"], ["e"]),
        ("(a|(?i)b)B", ["aB", "BB"], ["Ab", "ab"]),
    ],
)
def test_a_pattern_means_what_it_means_in_java(
    pattern: str, found: list[str], missed: list[str]
) -> None:
    for text in found:
        assert finds(pattern, text), text
    for text in missed:
        assert not finds(pattern, text), text


def test_flags_mean_what_they_mean_in_java() -> None:
    assert not finds("a.c", "a\nc", 0)
    assert finds("a.c", "a\rc", UNIX_LINES)
    assert finds("^b$", "a\nb\nc", MULTILINE)
    assert finds("É", "é", CASE_INSENSITIVE | UNICODE_CASE)
    assert not finds("É", "é", CASE_INSENSITIVE)
    assert finds("a.b", "a.b", LITERAL)
    assert not finds("a.b", "axb", LITERAL)
    assert finds("a b # c\n c", "abc", COMMENTS)


def test_text_that_is_no_text_reads_as_replaced() -> None:
    assert finds("a\ufffdb", b"a\xffb")
    assert kinds.RegexStringComparator("é", 0, "ISO-8859-1").compare(b"\xe9") == 0


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (r"(a)\1", "back-references"),
        (r"(?<n>a)\k<n>", "back-references"),
        ("(?=a)", "look-ahead"),
        ("(?<!a)b", "look-behind"),
        ("(?>a)", "atomic groups"),
        ("a++", "possessive quantifiers"),
        (r"\G", r"\\G"),
        (r"\p{javaLowerCase}", "javaLowerCase"),
        (r"\p{InGreek}", "InGreek"),
    ],
)
def test_what_cannot_be_bounded_is_refused_by_name(pattern: str, what: str) -> None:
    with pytest.raises(UnsupportedOperationError, match=what):
        kinds.RegexStringComparator(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "[a", "a{x}", "{1}", "*", "\\", r"\xzz", r"\x{110000}", "[b-a]", "(?<n"),
        *("(?q)a", "a" * 5000, "((((a{1000}){1000}){1000}){1000})"),
        *("(" * 200 + ")" * 200, "[" * 200),
    ],
)
def test_what_is_no_pattern_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequestError):
        kinds.RegexStringComparator(pattern)


def test_a_pattern_that_makes_others_backtrack_for_ever_ends_soon() -> None:
    comparator = kinds.RegexStringComparator("(a+)+$|(a|aa)+b|(.*)*x")
    began = time.perf_counter()
    assert comparator.compare(b"a" * 50_000 + b"c") == 1
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("length", [0, 7, 9])
def test_a_value_that_is_no_number_is_an_error_of_the_request(length: int) -> None:
    for comparator in (kinds.LongComparator(1), kinds.BigDecimalComparator(1)):
        if isinstance(comparator, kinds.LongComparator) or length < 5:
            with pytest.raises(IllegalArgumentError):
                comparator.compare(b"\0" * length)


def test_decimals_compare_as_numbers_whatever_their_scale() -> None:
    def order(left: tuple[int, int], right: tuple[int, int]) -> int:
        stored = kinds.BigDecimalComparator(*right).to_bytes()
        return kinds.BigDecimalComparator(*left).compare(stored)

    assert order((150, 2), (15, 1)) == 0
    assert order((-1, 0), (1, 0)) == -1
    assert order((1, -(2**31)), (9, 2**31 - 1)) == 1
    assert order((-1, -(2**31)), (-9, 2**31 - 1)) == -1
    assert order((0, 5), (0, -(2**31))) == 0
    with pytest.raises(IllegalArgumentError):
        kinds.BigDecimalComparator(1 << 9000)


def test_an_operator_has_the_stored_value_on_its_left() -> None:
    for comparator in (kinds.BinaryComparator(b"m"), kinds.BinaryPrefixComparator(b"m")):
        assert passes(CompareOperator.LESS, comparator)(b"a")
        assert passes(CompareOperator.GREATER_OR_EQUAL, comparator)(b"m")
        assert not passes(CompareOperator.GREATER, comparator)(b"m")
        assert passes(CompareOperator.NOT_EQUAL, comparator)(b"z")
        assert passes(CompareOperator.LESS_OR_EQUAL, comparator)(b"m")


@pytest.mark.parametrize(
    "text",
    [
        "SKIP " * 101 + "KeyOnlyFilter()",
        "(KeyOnlyFilter() AND " * 101 + "KeyOnlyFilter()" + ")" * 101,
        "KeyOnlyFilter() OR " * 4000 + "KeyOnlyFilter()",
        "PrefixFilter('" + "a" * 70_000 + "')",
    ],
)
def test_a_text_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(IllegalArgumentError):
        kinds.parse_filter(text)


def test_parentheses_around_mixed_operators_are_read_as_documented() -> None:
    """HBase calls this a mismatch of parentheses."""
    parts = [kinds.PrefixFilter(name) for name in (b"a", b"b", b"c")]
    either = kinds.FilterList.one_of(parts[0], kinds.FilterList.all_of(*parts[1:]))
    text = "(PrefixFilter('a') OR PrefixFilter('b') AND PrefixFilter('c'))"
    assert kinds.parse_filter(text) == either


@pytest.mark.parametrize(
    "make",
    [
        lambda: kinds.MultiRowRangeFilter(()),
        lambda: kinds.RowRange(b"b", True, b"a", True),
        lambda: kinds.RowRange(b"a", True, b"a", False),
        lambda: kinds.FuzzyRowFilter(((b"ab", b"\0"),)),
        lambda: kinds.MultipleColumnPrefixFilter((b"a", b"a")),
        lambda: kinds.PageFilter(-1),
        lambda: kinds.ColumnPaginationFilter(1, -1),
        lambda: kinds.ColumnCountGetFilter(-1),
        lambda: kinds.TimestampsFilter((-1,)),
        lambda: kinds.DependentColumnFilter(b"f", b"q", operator=CompareOperator.EQUAL),
    ],
)
def test_arguments_that_mean_nothing_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(IllegalArgumentError):
        make()


def test_a_filter_of_whole_rows_goes_with_no_batch() -> None:
    with pytest.raises(IncompatibleFilterError):
        Scan(filter=kinds.FilterList.one_of(kinds.PageFilter(1)), batch=1)


def test_ranges_that_overlap_or_touch_become_one() -> None:
    ranges = kinds.MultiRowRangeFilter(
        (
            kinds.RowRange(b"d", True, b"f"),
            kinds.RowRange(b"a", True, b"b"),
            kinds.RowRange(b"b", True, b"c", False),
            kinds.RowRange(b"c", False, b"d", False),
            kinds.RowRange(b"e", True, b"e", True),
        )
    ).ranges
    assert ranges == (
        kinds.RowRange(b"a", True, b"c"),
        kinds.RowRange(b"c", False, b"f"),
    )


def test_a_regular_expression_survives_pickling() -> None:
    wanted = kinds.ValueFilter(CompareOperator.EQUAL, kinds.RegexStringComparator("a+", 2))
    assert pickle.loads(pickle.dumps(wanted)) == wanted
