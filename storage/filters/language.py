"""HBase's filter language: ``PrefixFilter('a') AND SKIP ValueFilter(!=, 'binary:x')``.

Operators bind in the order SKIP and WHILE, AND, OR; parentheses group. Text stands in single
quotes, in which two are one; numbers, booleans and comparisons stand bare. Whatever HBase
reads is read alike, an open parenthesis at the end included. What HBase refuses by mistake is
read as its documentation says: ``(A OR B AND C)``. Source: ParseFilter.java.
"""

from __future__ import annotations

from typing import Final

from ...errors import IllegalArgumentError, InvalidRequestError
from .arguments import MAKERS
from .evaluation import FilterKind
from .lists import FilterList, ListOperator, SkipFilter, WhileMatchFilter

TEXT_BYTES_MAX: Final = 64 * 1024
FILTER_NAMES: Final = tuple(sorted(MAKERS))
"""Filters that the language knows."""
_BLANKS: Final = b" \t"
_OPERATORS: Final = (b"OR", b"AND", b"SKIP", b"WHILE")
_PRECEDENCE: Final = {b"SKIP": 1, b"WHILE": 1, b"AND": 2, b"OR": 3}
_LISTS: Final = {b"OR": ListOperator.MUST_PASS_ONE, b"AND": ListOperator.MUST_PASS_ALL}
_OPEN: Final = b"("


def parse_filter(text: bytes | str) -> FilterKind:
    """The filter that the text means.

    Raises IllegalArgumentError for what is not of the language, or longer or deeper than
    allowed; UnsupportedOperationError for regular expressions that cannot be bounded.
    """
    text = text.encode() if isinstance(text, str) else text
    if len(text) > TEXT_BYTES_MAX:
        raise IllegalArgumentError(f"a filter of {len(text)} bytes; the limit is {TEXT_BYTES_MAX}")
    return _Parser(text).result()


class _Parser:
    """HBase's two stacks: of operators and parentheses, and of filters."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._operators: list[bytes] = []
        self._filters: list[FilterKind] = []

    def result(self) -> FilterKind:
        text = self._text
        at = 0
        while at < len(text):
            operator = self._operator_at(at)
            if operator:
                self._push(operator)
                at += len(operator)
            elif text[at] in _BLANKS:
                at += 1
            elif text[at : at + 1] == b"(":
                self._operators.append(_OPEN)
                at += 1
            elif text[at : at + 1] == b")":
                self._close()
                at += 1
            else:
                end = _expression_end(text, at)
                self._filters.append(_simple_filter(text[at:end]))
                at = end
        while self._operators:
            self._reduce()
        if not self._filters:
            raise IllegalArgumentError("a filter's text names no filter")
        if len(self._filters) > 1:
            raise IllegalArgumentError(
                f"{len(self._filters)} filters stand side by side: join them with AND or OR"
            )
        return self._filters[0]

    def _operator_at(self, at: int) -> bytes:
        """The operator that stands here, between blanks or parentheses; empty: none does."""
        text = self._text
        for word in _OPERATORS:
            if not text.startswith(word, at):
                continue
            after = text[at + len(word) : at + len(word) + 1]
            before = text[at - 1 : at]
            is_prefix = word in (b"SKIP", b"WHILE")
            may_begin = before in (b" ", b")") or (is_prefix and before in (b"", b"("))
            if may_begin and after in (b" ", b"("):
                return word
        return b""

    def _push(self, operator: bytes) -> None:
        """Applies what binds stronger first."""
        stack = self._operators
        while stack and stack[-1] != _OPEN and _PRECEDENCE[stack[-1]] < _PRECEDENCE[operator]:
            self._reduce()
        stack.append(operator)

    def _close(self) -> None:
        while self._operators and self._operators[-1] != _OPEN:
            self._reduce()
        if not self._operators:
            raise IllegalArgumentError("a filter's text closes a parenthesis that it did not open")
        self._operators.pop()

    def _reduce(self) -> None:
        """Applies the operator on top, with its equals below it if it joins filters."""
        operator = self._operators[-1]
        needs = {
            b"OR": "an OR needs two filters",
            b"AND": "an AND needs two filters",
            b"SKIP": "a SKIP wraps a filter",
            b"WHILE": "a WHILE wraps a filter",
            _OPEN: "a parenthesis encloses a filter",
        }
        count = 0
        if operator in _LISTS:
            while self._operators and self._operators[-1] == operator:
                self._operators.pop()
                count += 1
        else:
            self._operators.pop()
        if len(self._filters) < count + 1:
            raise IllegalArgumentError(f"an incomplete filter: {needs[operator]}")
        if operator in _LISTS:
            parts = tuple(self._filters[-count - 1 :])
            del self._filters[-count - 1 :]
            self._filters.append(FilterList(_LISTS[operator], parts))
        elif operator == b"SKIP":
            self._filters.append(SkipFilter(self._filters.pop()))
        elif operator == b"WHILE":
            self._filters.append(WhileMatchFilter(self._filters.pop()))


def _is_quote_alone(text: bytes, at: int) -> bool:
    """Whether the quote here is not the first of two, which mean one in a text."""
    return text[at + 1 : at + 2] != b"'"


def _expression_end(text: bytes, start: int) -> int:
    """Behind the ')' that ends the filter which begins at ``start``."""
    quotes = 0
    at = start
    while at < len(text):
        if text[at : at + 1] == b"'":
            if _is_quote_alone(text, at):
                quotes += 1
            else:
                at += 1
        if text[at : at + 1] == b")" and quotes % 2 == 0:
            return at + 1
        at += 1
    shown = text[start:].decode("utf-8", "replace")
    raise IllegalArgumentError(
        f"{shown} does not end: a filter is Name(arguments), text in it stands in single quotes"
    )


def _simple_filter(text: bytes) -> FilterKind:
    """The filter of ``Name(arguments)``."""
    ends = [at for at in (text.find(b"("), text.find(b" ")) if at >= 0]
    if not ends or min(ends) == 0:
        raise IllegalArgumentError(f"{text.decode('utf-8', 'replace')} begins with no name")
    name = text[: min(ends)].decode("utf-8", "replace")
    arguments = _arguments(text)
    make = MAKERS.get(name)
    if make is None:
        raise IllegalArgumentError(
            f"no filter is called {name}; there are {', '.join(sorted(MAKERS))}"
        )
    try:
        return make(arguments)
    except InvalidRequestError as error:
        shown = text.decode("utf-8", "replace")
        raise type(error)(f"{shown}: {error}") from None


def _arguments(text: bytes) -> list[bytes]:
    """The arguments between the parentheses; those that are text with their quotes."""
    start = text.find(b"(")
    if start < 0:
        raise IllegalArgumentError(f"{text.decode('utf-8', 'replace')} has no arguments")
    found: list[bytes] = []
    at = start + 1
    while at < len(text):
        if text[at] in b" ,)":
            at += 1
        elif text[at : at + 1] == b"'":
            end = _quoted_end(text, at)
            if end:
                found.append(b"'%b'" % text[at + 1 : end].replace(b"''", b"'"))
                at = end + 1  # and, as in HBase, whatever separates it from the next
            at += 1
        else:
            end = next((one for one in range(at, len(text)) if text[one] in b" ,)"), 0)
            if not end:
                raise _unended(text)
            found.append(text[at:end])
            at = end + 1
    return found


def _quoted_end(text: bytes, start: int) -> int:
    """The quote that ends the text which begins at ``start``; 0: its last two are one."""
    at = start + 1
    while at < len(text):
        if text[at : at + 1] == b"'":
            if _is_quote_alone(text, at):
                return at
            at += 1
        elif at == len(text) - 1:
            raise _unended(text)
        at += 1
    return 0


def _unended(text: bytes) -> IllegalArgumentError:
    return IllegalArgumentError(f"{text.decode('utf-8', 'replace')}: an argument does not end")
