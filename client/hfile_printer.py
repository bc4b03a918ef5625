"""What `raybase hfile` prints: a store file, as HBase's `hbase hfile` prints it.

Source: HFilePrettyPrinter.java.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..storage.hfile import HFileReader
from ..storage.tags import parse_tags, tags_of
from .hfile_contents import PrintedCell, PrintedFile, Statistics
from .hfile_sections import block_lines, index_lines, meta_lines
from .hfile_text import binary_text


@dataclass(frozen=True, slots=True)
class HFileOptions:
    """Which parts of a file are wanted; names and letters are HBase's."""

    verbose: bool = False
    print_values: bool = False
    print_keys: bool = False
    print_meta: bool = False
    print_blocks: bool = False
    print_block_headers: bool = False
    check_row: bool = False
    check_family: bool = False
    stats: bool = False
    details: bool = False
    row: bytes = b""

    @property
    def scans(self) -> bool:
        """Whether the cells are gone through."""
        return (
            self.verbose
            or self.prints_keys
            or self.check_row
            or self.check_family
            or self.prints_stats
        )

    @property
    def prints_keys(self) -> bool:
        return self.print_keys or self.print_values

    @property
    def prints_stats(self) -> bool:
        return self.stats or self.details


class HFilePrinter:
    """Prints files, one after the other; ``write`` takes lines, ``warn`` those of warnings."""

    def __init__(
        self,
        options: HFileOptions,
        write: Callable[[str], object],
        warn: Callable[[str], object],
    ) -> None:
        self._options = options
        self._write = write
        self._warn = warn
        self._cells = 0

    def print_file(self, name: str, image: memoryview) -> None:
        """Raises CorruptionError, which names file and offset, once the file cannot be read."""
        options = self._options
        if options.verbose:
            self._write(f"Scanning -> {name}")
        file = PrintedFile(name, HFileReader.from_image(name, image), image)
        statistics = Statistics()
        if options.scans:
            self._scan(file, statistics)
        if options.print_meta:
            self._write_all(meta_lines(file))
        if options.print_blocks:
            self._write_all(index_lines(file))
        if options.print_block_headers:
            self._write_all(block_lines(file))
        if options.prints_stats:
            self._write_all(statistics.lines(with_ranges=options.details))

    def end(self) -> None:
        """The last line, after all files."""
        if self._options.verbose or self._options.prints_keys:
            self._write(f"Scanned kv count -> {self._cells}")

    def _write_all(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._write(line)

    def _scan(self, file: PrintedFile, statistics: Statistics) -> None:
        options = self._options
        before: PrintedCell | None = None
        for cell in file.cells(options.row):
            if options.prints_stats:
                statistics.add(cell)
            if options.prints_keys:
                self._write(f"K: {cell.text}" + (_value_text(cell) if options.print_values else ""))
            if options.check_row and before is not None and before.row > cell.row:
                self._warn(
                    "WARNING, previous row is greater then current row\n"
                    f"\tfilename -> {file.name}\n"
                    f"\tprevious -> {before.text}\n\tcurrent  -> {cell.text}"
                )
            if options.check_family and cell.family.decode("utf-8", "replace") not in file.name:
                self._warn(
                    "WARNING, filename does not match kv family,\n"
                    f"\tfilename -> {file.name}\n\tkeyvalue -> {cell.text}"
                )
            before = cell
            self._cells += 1


def _value_text(cell: PrintedCell) -> str:
    parts = [f" V: {binary_text(cell.value)}"]
    for number, (kind, data) in enumerate(parse_tags(tags_of(cell.value))):
        parts.append(f" T[{number}]: [Tag type : {kind}, value : {binary_text(data)}]")
    return "".join(parts)
