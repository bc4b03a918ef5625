"""Filters made of filters: lists, SKIP and WHILE.

A list asks its filters in order and makes one answer of theirs: in a list that all must pass,
the largest step any of them takes; in a list that one must pass, the least.
Source: FilterListWithAND.java, FilterListWithOR.java, SkipFilter.java, WhileMatchFilter.java.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ...errors import IllegalArgumentError
from .evaluation import Cell, Circumstances, Evaluation, FilterKind, Hint, ReturnCode, Step

DEPTH_MAX: Final = 100
"""Of filters within filters."""

_CODES: Final = {(code.includes, code.step): code for code in ReturnCode}
_SKIPS_TO: Final = {Step.COLUMN: ReturnCode.NEXT_COL, Step.ROW: ReturnCode.NEXT_ROW}


class ListOperator(Enum):
    """Which of a list's filters a cell must pass; values are HBase's."""

    MUST_PASS_ALL = 1
    MUST_PASS_ONE = 2


@dataclass(frozen=True, slots=True)
class FilterList(FilterKind):
    """Several filters as one. Without any it lets everything pass."""

    operator: ListOperator
    filters: tuple[FilterKind, ...]

    def __post_init__(self) -> None:
        check_depth(self)

    @classmethod
    def all_of(cls, *filters: FilterKind) -> FilterList:
        return cls(ListOperator.MUST_PASS_ALL, filters)

    @classmethod
    def one_of(cls, *filters: FilterKind) -> FilterList:
        return cls(ListOperator.MUST_PASS_ONE, filters)

    @property
    def has_filter_row(self) -> bool:
        return any(one.has_filter_row for one in self.filters)

    @property
    def weight(self) -> int:
        return 1 + sum(one.weight for one in self.filters)

    def is_family_essential(self, family: bytes) -> bool:
        if not self.filters:
            return True
        return any(one.is_family_essential(family) for one in self.filters)

    def start(self, circumstances: Circumstances) -> Evaluation:
        if not self.filters:
            return Evaluation()
        parts = [one.start(circumstances) for one in self.filters]
        if self.operator is ListOperator.MUST_PASS_ALL:
            return _All(parts, [one.is_hinting for one in self.filters], circumstances)
        return _One(parts, circumstances)


class _List(Evaluation):
    def __init__(self, parts: list[Evaluation], circumstances: Circumstances) -> None:
        self._parts = parts
        self._circumstances = circumstances

    def filter_row_cells(self, cells: list[Cell]) -> list[Cell]:
        for part in self._parts:
            cells = part.filter_row_cells(cells)
        return cells


class _All(_List):
    def __init__(
        self, parts: list[Evaluation], hinting: list[bool], circumstances: Circumstances
    ) -> None:
        super().__init__(parts, circumstances)
        self._hinting = hinting
        self._with_hints: list[Evaluation] = []

    def reset(self) -> None:
        for part in self._parts:
            part.reset()

    def filter_all_remaining(self) -> bool:
        return any(part.filter_all_remaining() for part in self._parts)

    def filter_row_key(self, row: bytes) -> bool:
        """Every filter sees the row, and those that give hints may keep it for that."""
        is_out = is_kept = False
        for part, hinting in zip(self._parts, self._hinting, strict=True):
            if part.filter_all_remaining():
                return True
            if part.filter_row_key(row):
                is_out = True
            elif hinting:
                is_kept = True
        return is_out and not is_kept

    def filter_cell(self, cell: Cell) -> ReturnCode:
        code = ReturnCode.INCLUDE
        self._with_hints = []
        for part, hinting in zip(self._parts, self._hinting, strict=True):
            if not code.includes and not hinting:
                continue
            if code.includes and part.filter_all_remaining():
                code = ReturnCode.NEXT_ROW
                continue
            answer = part.filter_cell(cell)
            if answer is ReturnCode.SEEK_NEXT_USING_HINT:
                self._with_hints.append(part)
                code = answer
            elif code.includes:
                step = max(code.step, answer.step, key=_size)
                code = _CODES[answer.includes, step]
        return ReturnCode.SEEK_NEXT_USING_HINT if self._with_hints else code

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        """The farthest."""
        farthest: Hint | None = None
        for part in self._with_hints:
            hint = None if part.filter_all_remaining() else part.next_cell_hint(cell)
            if hint is None:
                continue
            if farthest is None or self._circumstances.is_before(farthest, hint):
                farthest = hint
        return farthest

    def transform_cell(self, cell: Cell) -> Cell:
        for part in self._parts:
            cell = part.transform_cell(cell)
        return cell

    def filter_row(self) -> bool:
        return any(part.filter_row() for part in self._parts)


class _One(_List):
    def __init__(self, parts: list[Evaluation], circumstances: Circumstances) -> None:
        super().__init__(parts, circumstances)
        self._included = [False] * len(parts)
        self._answers: list[tuple[Cell, ReturnCode] | None] = [None] * len(parts)
        """Of each filter its last answer in this row that was no mere INCLUDE or SKIP."""

    def reset(self) -> None:
        for part in self._parts:
            part.reset()
        self._included = [False] * len(self._parts)
        self._answers = [None] * len(self._parts)

    def filter_all_remaining(self) -> bool:
        return all(part.filter_all_remaining() for part in self._parts)

    def filter_row_key(self, row: bytes) -> bool:
        is_out = True
        for part in self._parts:
            if not part.filter_all_remaining() and not part.filter_row_key(row):
                is_out = False
        return is_out

    def filter_cell(self, cell: Cell) -> ReturnCode:
        code: ReturnCode | None = None
        for index, part in enumerate(self._parts):
            self._included[index] = False
            if part.filter_all_remaining():
                continue
            answer = self._answer_again(index, cell) or part.filter_cell(cell)
            is_plain = answer.step is Step.CELL
            self._answers[index] = None if is_plain else (cell, answer)
            self._included[index] = answer.includes
            code = answer if code is None else _weaker(code, answer)
        return code or ReturnCode.SKIP

    def _answer_again(self, index: int, cell: Cell) -> ReturnCode | None:
        """What a filter that wanted to go on elsewhere says of the cells before that place.

        Other filters of the list hold the scan back, and it must not see these cells.
        """
        last = self._answers[index]
        if last is None:
            return None
        before, answer = last
        if answer.step is Step.COLUMN:
            is_same = before[1:3] == cell[1:3]
        elif answer.step is Step.ROW:
            is_same = before.family == cell.family
        else:
            hint = self._parts[index].next_cell_hint(before)
            here = Hint(*cell[:3])
            is_same = hint is not None and self._circumstances.is_before(here, hint)
        return _SKIPS_TO.get(answer.step, answer) if is_same else None

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        """The nearest; none if a filter has none."""
        nearest: Hint | None = None
        for part in self._parts:
            if part.filter_all_remaining():
                continue
            hint = part.next_cell_hint(cell)
            if hint is None:
                return None
            if nearest is None or self._circumstances.is_before(hint, nearest):
                nearest = hint
        return nearest

    def transform_cell(self, cell: Cell) -> Cell:
        for part, included in zip(self._parts, self._included, strict=True):
            if included:
                cell = part.transform_cell(cell)
        return cell

    def filter_row(self) -> bool:
        return all(part.filter_row() for part in self._parts)


def _size(step: Step) -> int:
    return step.value


def _weaker(left: ReturnCode, right: ReturnCode) -> ReturnCode:
    """The answer that passes what either passes, and goes no farther than either."""
    if left is right:
        return left
    # A hint may lie anywhere, so beside another answer it counts as no step at all.
    steps = [Step.CELL if one.step is Step.HINT else one.step for one in (left, right)]
    return _CODES[left.includes or right.includes, min(steps, key=_size)]


@dataclass(frozen=True, slots=True)
class SkipFilter(FilterKind):
    """Drops a row if the filter would leave out any cell of it."""

    filter: FilterKind

    def __post_init__(self) -> None:
        check_depth(self)

    @property
    def has_filter_row(self) -> bool:
        return True

    @property
    def weight(self) -> int:
        return 1 + self.filter.weight

    def is_family_essential(self, family: bytes) -> bool:
        return self.filter.is_family_essential(family)

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _Skip(self.filter.start(circumstances))


class _Skip(Evaluation):
    def __init__(self, inner: Evaluation) -> None:
        self._inner = inner
        self._is_out = False

    def reset(self) -> None:
        self._inner.reset()
        self._is_out = False

    def filter_row_key(self, row: bytes) -> bool:
        return False

    def filter_cell(self, cell: Cell) -> ReturnCode:
        code = self._inner.filter_cell(cell)
        self._is_out = self._is_out or code is not ReturnCode.INCLUDE
        return code

    def next_cell_hint(self, cell: Cell) -> Hint | None:
        return None

    def transform_cell(self, cell: Cell) -> Cell:
        return self._inner.transform_cell(cell)

    def filter_row(self) -> bool:
        return self._is_out


@dataclass(frozen=True, slots=True)
class WhileMatchFilter(FilterKind):
    """Ends the scan with the first row or cell that the filter leaves out."""

    filter: FilterKind

    def __post_init__(self) -> None:
        check_depth(self)

    @property
    def has_filter_row(self) -> bool:
        return True

    @property
    def weight(self) -> int:
        return 1 + self.filter.weight

    def is_family_essential(self, family: bytes) -> bool:
        return self.filter.is_family_essential(family)

    def start(self, circumstances: Circumstances) -> Evaluation:
        return _While(self.filter.start(circumstances))


class _While(Evaluation):
    def __init__(self, inner: Evaluation) -> None:
        self._inner = inner
        self._is_over = False

    def reset(self) -> None:
        self._inner.reset()

    def filter_all_remaining(self) -> bool:
        return self._is_over or self._inner.filter_all_remaining()

    def filter_row_key(self, row: bytes) -> bool:
        if self.filter_all_remaining():
            return True
        is_out = self._inner.filter_row_key(row)
        self._is_over = self._is_over or is_out
        return is_out

    def filter_cell(self, cell: Cell) -> ReturnCode:
        code = self._inner.filter_cell(cell)
        self._is_over = self._is_over or code is not ReturnCode.INCLUDE
        return code

    def transform_cell(self, cell: Cell) -> Cell:
        return self._inner.transform_cell(cell)

    def filter_row(self) -> bool:
        is_out = self._inner.filter_row()
        self._is_over = self._is_over or is_out
        return is_out


def check_depth(filter_: FilterKind) -> None:
    """Raises IllegalArgumentError if filters are nested deeper than DEPTH_MAX."""
    level: list[FilterKind] = [filter_]
    for _ in range(DEPTH_MAX):
        level = [inner for one in level for inner in inner_filters(one)]
        if not level:
            return
    raise IllegalArgumentError(f"filters are nested more than {DEPTH_MAX} deep")


def inner_filters(filter_: FilterKind) -> tuple[FilterKind, ...]:
    """The filters that this one is made of; none for most."""
    if isinstance(filter_, FilterList):
        return filter_.filters
    if isinstance(filter_, SkipFilter | WhileMatchFilter):
        return (filter_.filter,)
    return ()


def page_size_of(filter_: FilterKind) -> int | None:
    """How many rows at most a whole scan with this filter returns; None: not known."""
    from .rows import PageFilter

    if isinstance(filter_, PageFilter):
        return filter_.page_size
    if isinstance(filter_, FilterList) and filter_.operator is ListOperator.MUST_PASS_ALL:
        sizes = [page_size_of(one) for one in filter_.filters]
        return min((one for one in sizes if one is not None), default=None)
    if isinstance(filter_, WhileMatchFilter | SkipFilter):
        return page_size_of(filter_.filter)
    return None
