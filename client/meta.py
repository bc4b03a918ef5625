"""Rows of hbase:meta as the client reads them. Source: CatalogFamilyFormat.java."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..errors import TableNotFoundError
from ..model import RegionInfo, ServerName, TableName
from ..operations import Scan
from . import wire
from .location import RegionLocation
from .result import Result

REGIONINFO: Final = b"info:regioninfo"
SERVER: Final = b"info:server"
START_CODE: Final = b"info:serverstartcode"
SEQUENCE_ID: Final = b"info:seqnumDuringOpen"
STATE: Final = b"info:state"
TABLE_STATE: Final = b"table:state"


class TableState(Enum):
    """HBase's values."""

    ENABLED = 0
    DISABLED = 1
    DISABLING = 2
    ENABLING = 3


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A region as hbase:meta has it; ``location`` is None if no server has it."""

    region: RegionInfo
    state: str
    location: RegionLocation | None

    @property
    def server(self) -> ServerName | None:
        return self.location.server if self.location else None

    def __str__(self) -> str:
        where = f" at {self.location.server}" if self.location else ""
        return f"region {self.region} {self.state or 'of no state'}{where}"


def parse_rows(rows: Iterable[Result]) -> list[RegionRow]:
    """The rows that describe regions."""
    return [_parse(row) for row in rows if REGIONINFO in row]


def _parse(row: Result) -> RegionRow:
    region = wire.parse_region_info(row[REGIONINFO])
    state = row.get(STATE, b"").decode("ascii", "backslashreplace")
    address = row.get(SERVER, b"").decode("utf-8", "backslashreplace")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return RegionRow(region, state, None)
    server = ServerName(host, int(port), row.number(START_CODE))
    sequence_id = row.number(SEQUENCE_ID) if SEQUENCE_ID in row else -1
    return RegionRow(region, state, RegionLocation(region, server, sequence_id))


def parse_state(table: TableName, row: Result) -> TableState:
    """Raises TableNotFoundError if the row has no state."""
    value = row.get(TABLE_STATE)
    if value is None:
        raise TableNotFoundError(
            f"there is no table {table}; `list` in `raybase shell` shows the tables"
        )
    return TableState(wire.parse_table_state(value))


def table_scan(table: TableName, start: bytes = b"") -> Scan:
    """Scan of hbase:meta over a table's regions, from the row ``start`` of hbase:meta."""
    name = str(table).encode()
    return Scan(start or name + b",,", name + b" ,,", columns={b"info": None})
