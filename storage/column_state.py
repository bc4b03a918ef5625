"""What is known of the row and column at hand while cells pass in order.

Reads and compactions decide cell by cell by the same few facts: which column this is, how
many versions it had so far, and which tombstones reach it. The rules are HBase's: a tombstone
hides every put at or below its timestamp (or exactly at it) however late the put came.
Source: ScanDeleteTracker.java.
"""

from __future__ import annotations

from typing import Final

from ..model import CellType
from .key import END

PUT: Final = 255 - CellType.PUT
"""Types as they stand in keys, that is, inverted."""
DELETE: Final = 255 - CellType.DELETE
DELETE_COLUMN: Final = 255 - CellType.DELETE_COLUMN
DELETE_FAMILY: Final = 255 - CellType.DELETE_FAMILY
DELETE_FAMILY_VERSION: Final = 255 - CellType.DELETE_FAMILY_VERSION


class ColumnState:
    """The column of the last cell looked at, with its row's and its own tombstones."""

    def __init__(self) -> None:
        self._column = b""
        """Of the last cell looked at: its key without the tail."""
        self._row_bytes = 0
        """How much of it is the row with its END."""
        self._count = 0
        """Versions of the column so far."""
        self._last_timestamp = -1
        """Of the last put that stands for its timestamp; -1: none in this column yet."""
        self._family_deleted = -1
        self._family_versions_deleted: set[int] = set()
        self._column_deleted = -1
        self._versions_deleted: set[int] = set()

    def _enter(self, column: bytes) -> bool:
        """Goes on to another column; returns whether a row begins with it."""
        row_bytes = self._row_bytes
        is_new_row = not row_bytes or column[:row_bytes] != self._column[:row_bytes]
        if is_new_row:
            self._row_bytes = column.index(END) + len(END)
            self._family_deleted = -1
            self._family_versions_deleted.clear()
        self._column = column
        self._count = 0
        self._last_timestamp = -1
        self._column_deleted = -1
        self._versions_deleted.clear()
        return is_new_row

    def _note_tombstone(self, kind: int, timestamp: int) -> None:
        if kind == DELETE_COLUMN:
            self._column_deleted = max(timestamp, self._column_deleted)
        elif kind == DELETE:
            self._versions_deleted.add(timestamp)
        elif kind == DELETE_FAMILY:
            self._family_deleted = max(timestamp, self._family_deleted)
        elif kind == DELETE_FAMILY_VERSION:
            self._family_versions_deleted.add(timestamp)

    def _deletes_reach(self, key: bytes) -> bool:
        """Whether tombstones seen so far may hide something of what begins with ``key``."""
        if self._family_deleted >= 0 or self._family_versions_deleted:
            return key.startswith(self._column[: self._row_bytes])
        if self._column_deleted >= 0 or self._versions_deleted:
            return key.startswith(self._column)
        return False
