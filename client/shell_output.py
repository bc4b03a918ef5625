"""How the shell prints: tables, bytes, counts."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from .result import text


def table_of(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def printed(value: bytes) -> Text:
    """Bytes as the shell writes them, whatever they look like."""
    return Text(text(value))


def counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
