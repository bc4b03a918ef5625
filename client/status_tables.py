"""The active master's status as tables to print."""

from __future__ import annotations

from typing import Any, Final

from rich.table import Table

_COLUMNS: Final = {
    "servers": ("server", "process", "regions", "memstore_bytes", "files", "requests", "trouble"),
    "starting": ("process", "age_s", "reason"),
    "tables": ("table", "state", "regions"),
    "in_transition": ("region", "state", "server", "age_s", "reason"),
    "procedures": ("id", "what", "step", "age_s", "reason"),
    "last_balanced": ("region", "source", "target", "age_s", "reason"),
}
_ALWAYS: Final = ("servers", "tables")


def status_tables(found: dict[str, Any]) -> list[Table]:
    """A table for each part of the status; what is in order is left out."""
    masters = f"master {found['master']}, {len(found['backup_masters'])} standing by"
    if not found["initialized"]:
        masters += f"; it is taking over, waits {found['waits'] or 'for nothing'}"
    of_wanted = f"{len(found['servers'])} of {found['wanted_servers']} region servers"
    titles = {"servers": f"{masters}; {of_wanted}"}
    return [
        _table(titles.get(part, part.replace("_", " ")), columns, found[part])
        for part, columns in _COLUMNS.items()
        if found[part] or part in _ALWAYS
    ]


def _table(title: str, columns: tuple[str, ...], lines: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for line in lines:
        table.add_row(*(str(line.get(column, "")) for column in columns))
    return table
