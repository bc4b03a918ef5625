"""What `raybase wal` prints: the records of a write-ahead log, as text or JSON.

Options and lines are those of HBase's `hbase wal`; sizes are bytes in the log where HBase
says how much heap a cell takes, and nonces are printed as well. Source: WALPrettyPrinter.java.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import CorruptionError
from ..model import META_TABLE, CellType
from ..storage.key import META_ROWS, PLAIN_ROWS, split_key
from ..storage.tags import parse_tags, tags_of
from ..storage.wal import WalRecord, find_records, record_at
from .result import text


@dataclass(frozen=True, slots=True)
class WalOptions:
    """Which records and cells are wanted, and how much of them."""

    tables: tuple[str, ...] = ()
    region: str = ""
    sequence_id: int | None = None
    row: str = ""
    """As it is printed: bytes that are no text are ``\\xNN``."""
    row_prefix: str = ""
    position: int = 0
    """Records that begin before this offset are left out."""
    keys_only: bool = False
    values: bool = False
    as_json: bool = False


class WalPrinter:
    """Prints logs, one after the other, as one list.

    ``write`` takes the pieces of the output, ``time_text`` turns a write time in ms into
    words. Call ``begin``, ``print_log`` for each file, and ``end``, also after an error.
    """

    def __init__(
        self, options: WalOptions, write: Callable[[str], object], time_text: Callable[[int], str]
    ) -> None:
        self._options = options
        self._write = write
        self._time_text = time_text
        self._separator = ""

    def begin(self) -> None:
        if self._options.as_json:
            self._write("[")

    def end(self) -> None:
        if self._options.as_json:
            self._write("]\n")

    def print_log(self, path: str, data: bytes) -> str:
        """Prints what is wanted; returns what is to be said about how the log ends, or "".

        Raises CorruptionError, after all that stands before the damage was printed.
        """
        log = find_records(path, data)
        while True:
            try:
                offset, length = next(log)
            except StopIteration as stop:
                return _ending(path, data, stop.value)
            if offset >= self._options.position:
                record = record_at(path, data, offset, length)
                self._print_record(path, record, offset, length)

    def _print_record(self, path: str, record: WalRecord, offset: int, length: int) -> None:
        options = self._options
        if options.tables and str(record.table) not in options.tables:
            return
        if options.region and record.region != options.region:
            return
        if options.sequence_id is not None and record.sequence_id != options.sequence_id:
            return
        try:
            actions = list(self._actions(record))
        except (ValueError, IndexError) as error:
            raise CorruptionError(path, offset, f"a cell makes no sense: {error}") from error
        if not actions:
            return
        if options.as_json:
            self._print_json(record, actions, offset + length)
        else:
            self._print_text(record, actions, offset + length)

    def _actions(self, record: WalRecord) -> Iterator[dict[str, Any]]:
        """The cells that are wanted, by HBase's names of their parts."""
        options = self._options
        decode = (META_ROWS if record.table == META_TABLE else PLAIN_ROWS).decode
        for family, keys, values in record.families:
            for key, value in zip(keys, values, strict=True):
                encoded_row, qualifier, timestamp, type_code, _ = split_key(key)
                row = text(decode(encoded_row))
                if options.row_prefix and not row.startswith(options.row_prefix):
                    continue
                if options.row and row != options.row:
                    continue
                if options.keys_only:
                    yield {"row": row}
                    continue
                tags = tags_of(value)
                action: dict[str, Any] = {
                    "row": row,
                    "family": text(family),
                    "qualifier": text(qualifier),
                    "timestamp": timestamp,
                    "type": _type_name(type_code),
                    "vlen": len(value),
                    "total_size_sum": len(key) + len(value) + len(tags),
                }
                if tags:
                    action["tag"] = [f"{kind}:{text(data)}" for kind, data in parse_tags(tags)]
                if options.values:
                    action["value"] = text(bytes(value))
                yield action

    def _print_json(self, record: WalRecord, actions: list[dict[str, Any]], end: int) -> None:
        shown: dict[str, Any] = {
            "sequence": record.sequence_id,
            "table": str(record.table),
            "region": record.region,
            "writeTime": record.clock_ms,
            "position": end,
            "actions": actions,
        }
        if record.nonce:
            shown["nonceGroup"], shown["nonce"] = record.nonce_group, record.nonce
        self._write(self._separator + json.dumps(shown))
        self._separator = ",\n"

    def _print_text(self, record: WalRecord, actions: list[dict[str, Any]], end: int) -> None:
        lines = []
        if not self._options.keys_only:
            nonce = f", nonce={record.nonce_group:x}:{record.nonce:x}" if record.nonce else ""
            lines.append(
                f"Sequence={record.sequence_id}, table={record.table}, region={record.region}, "
                f"at write timestamp={self._time_text(record.clock_ms)}{nonce}"
            )
        for action in actions:
            lines += _cell_lines(action)
        if not self._options.keys_only:
            lines.append(f"edit size: {sum(one['total_size_sum'] for one in actions)}")
            lines.append(f"position: {end}")
        self._write("\n".join(lines) + "\n")


def _cell_lines(action: dict[str, Any]) -> Iterator[str]:
    if "family" not in action:
        yield f"row={action['row']}"
        return
    yield (
        f"row={action['row']}, column={action['family']}:{action['qualifier']}, "
        f"timestamp={action['timestamp']}, type={action['type']}"
    )
    if "tag" in action:
        yield f"    tag: [{', '.join(action['tag'])}]"
    if "value" in action:
        yield f"    value: {action['value']}"
    yield f"cell total size sum: {action['total_size_sum']}"


def _ending(path: str, data: bytes, end: int) -> str:
    if data and not end:
        raise CorruptionError(path, 0, "this is no write-ahead log of raybase's")
    if end < len(data):
        rest = len(data) - end
        return f"{path}: the log ends at offset {end}; {rest} bytes of a write that never ended"
    return ""


def _type_name(type_code: int) -> str:
    """As HBase writes it: DeleteColumn."""
    return CellType(type_code).name.title().replace("_", "")
