"""What reads return: rows as mappings, and many cells as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import IllegalArgumentError
from ..model import CellType
from ..storage.cells import CellBatch

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

_HTML_ROWS = 50


class Cell(NamedTuple):
    """One version of one column."""

    family: bytes
    qualifier: bytes
    timestamp: int
    type: CellType
    value: bytes

    @property
    def column(self) -> bytes:
        """``family:qualifier``."""
        return b"%b:%b" % (self.family, self.qualifier)


class Result(Mapping[bytes, bytes]):
    """The cells of one row that a read asked for. Empty, and false, if there are none.

    As a mapping it goes from ``family:qualifier`` to the newest value::

        row = table.get(b"com.example", versions=3)
        row[b"contents:"]                     # newest value; KeyError if there is none
        row.get("anchor:index")               # None if there is none; text works, too
        row.cell(b"contents:").timestamp      # ms since 1970
        [cell.value for cell in row.versions(b"contents:")]   # newest first
        row.family(b"anchor")                 # {qualifier: newest value}
    """

    __slots__ = ("_batch", "_newest", "_start", "_stop", "row")

    def __init__(self, row: bytes, batch: CellBatch, start: int, stop: int) -> None:
        self.row = row
        self._batch = batch
        self._start = start
        self._stop = stop
        self._newest: dict[bytes, int] | None = None

    @property
    def cells(self) -> list[Cell]:
        """All cells in HBase's order: family, qualifier, newest first."""
        return [self._cell(index) for index in range(self._start, self._stop)]

    def cell(self, column: bytes | str) -> Cell | None:
        """The newest cell of the column, or None."""
        index = self._index().get(_name(column))
        return None if index is None else self._cell(index)

    def versions(self, column: bytes | str) -> list[Cell]:
        """All cells read of the column, newest first."""
        first = self._index().get(_name(column))
        if first is None:
            return []
        batch = self._batch
        last = first + 1
        while (
            last < self._stop
            and batch.qualifiers[last] == batch.qualifiers[first]
            and batch.families[last] == batch.families[first]
        ):
            last += 1
        return [self._cell(index) for index in range(first, last)]

    def family(self, family: bytes | str) -> dict[bytes, bytes]:
        """Qualifier to newest value of one family."""
        wanted = _name(family)
        batch = self._batch
        return {
            batch.qualifiers[index]: batch.values[index]
            for index in self._index().values()
            if batch.families[index] == wanted
        }

    def number(self, column: bytes | str) -> int:
        """The newest value as a counter: 8 bytes, big-endian, signed; 0 if there is none.

        Raises IllegalArgumentError if the value has another length.
        """
        value = self.get(_name(column), b"\0" * 8)
        if len(value) != 8:
            raise IllegalArgumentError(
                f"column {_name(column)!r} holds {len(value)} bytes; a counter has 8"
            )
        return int.from_bytes(value, "big", signed=True)

    def __getitem__(self, column: bytes | str) -> bytes:
        return self._batch.values[self._index()[_name(column)]]

    def __contains__(self, column: object) -> bool:
        return isinstance(column, bytes | str) and _name(column) in self._index()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._index())

    def __len__(self) -> int:
        """Number of columns."""
        return len(self._index())

    def __bool__(self) -> bool:
        return self._stop > self._start

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return self.row == other.row and self.cells == other.cells

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Result({self.row!r}, {dict(self)!r})"

    def _repr_html_(self) -> str:
        lines = [(cell.column, cell.timestamp, cell.value) for cell in self.cells[: _HTML_ROWS + 1]]
        return html_table(("column", "timestamp", "value"), lines, str(self.row))

    def _cell(self, index: int) -> Cell:
        batch = self._batch
        return Cell(
            batch.families[index],
            batch.qualifiers[index],
            batch.timestamps[index],
            CellType(batch.types[index]),
            batch.values[index],
        )

    def _index(self) -> dict[bytes, int]:
        """Column to index of its newest cell, made when first asked for."""
        if self._newest is None:
            batch = self._batch
            newest: dict[bytes, int] = {}
            for index in range(self._start, self._stop):
                column = b"%b:%b" % (batch.families[index], batch.qualifiers[index])
                newest.setdefault(column, index)
            self._newest = newest
        return self._newest


_NO_CELLS = CellBatch()


def empty_result(row: bytes) -> Result:
    return Result(row, _NO_CELLS, 0, 0)


def single_result(row: bytes, batch: CellBatch | None) -> Result:
    """The whole batch as one row's result."""
    if batch is None or not len(batch):
        return empty_result(row)
    return Result(row, batch, 0, len(batch))


def results(batch: CellBatch) -> Iterator[Result]:
    """The rows of a batch, one after another."""
    start = 0
    for stop in batch.row_ends:
        yield Result(batch.rows[start], batch, start, stop)
        start = stop


class Columns:
    """Many cells as parallel columns, one entry a cell; nothing is boxed per cell.

    ``rows``, ``families``, ``qualifiers`` and ``values`` are lists of bytes, ``timestamps``
    and ``types`` are numpy arrays, ``row_ends[i]`` is the index after the i-th row's cells::

        pages = table.scan(columns=["meta:size"]).columns()
        len(pages), pages.row_count
        sizes = pages.array("meta:size", dtype=">i8")      # numpy, one number a cell
        pandas.DataFrame(pages.as_dict())
    """

    __slots__ = (
        "families",
        "qualifiers",
        "row_ends",
        "rows",
        "timestamps",
        "types",
        "values",
    )

    def __init__(self, batches: Iterable[CellBatch]) -> None:
        import numpy

        joined = CellBatch()
        for batch in batches:
            extend(joined, batch)
        self.rows = joined.rows
        self.families = joined.families
        self.qualifiers = joined.qualifiers
        self.values = joined.values
        self.timestamps: NDArray[numpy.int64] = numpy.array(joined.timestamps, numpy.int64)
        self.types: NDArray[numpy.uint8] = numpy.array(joined.types, numpy.uint8)
        self.row_ends: NDArray[numpy.int64] = numpy.array(joined.row_ends, numpy.int64)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.values)

    @property
    def row_count(self) -> int:
        return len(self.row_ends)

    def of(self, column: bytes | str) -> tuple[list[bytes], list[bytes]]:
        """(rows, values) of one column's cells, in order."""
        family, _, qualifier = _name(column).partition(b":")
        chosen = [
            index
            for index, (one, other) in enumerate(zip(self.families, self.qualifiers, strict=True))
            if other == qualifier and one == family
        ]
        return [self.rows[index] for index in chosen], [self.values[index] for index in chosen]

    def array(self, column: bytes | str, dtype: Any) -> NDArray[Any]:
        """The values of one column as a numpy array; each must have the size of ``dtype``.

        Counters are ``">i8"``. Raises IllegalArgumentError if a value has another size.
        """
        import numpy

        _, values = self.of(column)
        size = numpy.dtype(dtype).itemsize
        wrong = next((len(value) for value in values if len(value) != size), None)
        if wrong is not None:
            raise IllegalArgumentError(
                f"column {_name(column)!r} holds a value of {wrong} bytes; {dtype} has {size}"
            )
        return numpy.frombuffer(b"".join(values), dtype=dtype)

    def as_dict(self) -> dict[str, Any]:
        """Name to column, as data-frame libraries take it."""
        return {
            "row": self.rows,
            "family": self.families,
            "qualifier": self.qualifiers,
            "timestamp": self.timestamps,
            "value": self.values,
        }

    def __repr__(self) -> str:
        return f"Columns({len(self)} cells of {self.row_count} rows)"


def extend(batch: CellBatch, more: CellBatch) -> None:
    """Adds the cells of ``more`` behind those of ``batch``."""
    before = len(batch.values)
    batch.rows += more.rows
    batch.families += more.families
    batch.qualifiers += more.qualifiers
    batch.timestamps += more.timestamps
    batch.types += more.types
    batch.values += more.values
    batch.row_ends += [before + end for end in more.row_ends] if before else more.row_ends
    batch.partial = more.partial


@dataclass(frozen=True, slots=True)
class CheckedResult:
    """Outcome of a checked mutation; true if the condition held and it was applied.

    ``result`` holds the new cells of an append or increment, and is empty otherwise.
    """

    applied: bool
    result: Result

    def __bool__(self) -> bool:
        return self.applied


def html_table(header: Sequence[str], lines: Sequence[Sequence[object]], caption: str = "") -> str:
    """A small HTML table for notebooks; long ones are cut and say so."""
    from html import escape

    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(text(one))}</{tag}>" for one in cells) + "</tr>"

    shown = lines[:_HTML_ROWS]
    note = f" (first {_HTML_ROWS} of {len(lines)})" if len(lines) > len(shown) else ""
    head = f"<caption>{escape(caption)}{note}</caption>" if caption or note else ""
    body = "".join(line(one, "td") for one in shown)
    return f"<table>{head}<thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"


def text(value: object) -> str:
    """Bytes as the text they may be, with \\x escapes for the rest; others by str()."""
    if isinstance(value, bytes):
        return "".join(chr(b) if 0x20 <= b < 0x7F and b != 0x5C else f"\\x{b:02X}" for b in value)
    return str(value)


def _name(column: bytes | str) -> bytes:
    return column.encode() if isinstance(column, str) else column
