"""The check of what master and coordinator keep: that it can be read, and whom it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ...errors import CorruptionError
from ...model import META_TABLE, RegionInfo, TableName
from ...runtime import FileSystem
from ..coordinator_files import DIRECTORY, read_state
from ..meta_rows import MetaContent
from ..procedure_store import LOGS, read_procedures
from ..procedures.adopt import AdoptRegionProcedure
from ..procedures.assign import RegionProcedure
from ..procedures.procedure import Procedure, restored
from ..procedures.registry import KINDS
from ..procedures.tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    TableProcedure,
    TruncateTableProcedure,
)
from .finding import Kind, Report

_COME_AND_GO: Final = (
    AdoptRegionProcedure,
    CreateTableProcedure,
    DeleteTableProcedure,
    TruncateTableProcedure,
)
"""What they are about need not be in hbase:meta."""


async def check_coordinator(files: FileSystem, report: Report) -> None:
    """The next coordinator will read the latest life's snapshot and logs: each record must be
    in order. Changes nothing."""
    try:
        await read_state(files)
    except CorruptionError as error:
        report.add(Kind.COORDINATOR_DAMAGED, DIRECTORY, str(error))
    except FileNotFoundError as error:
        report.add(Kind.COORDINATOR_DAMAGED, DIRECTORY, f"a file is missing: {error}")


async def check_procedures(files: FileSystem, content: MetaContent | None, report: Report) -> None:
    """The next master will read every procedure that is stored, and go on with those that
    are not over. ``content``: hbase:meta, if it can be read. Changes nothing."""
    try:
        stored = await read_procedures(files)
    except CorruptionError as error:
        report.add(Kind.PROCEDURES_DAMAGED, LOGS, str(error))
        return
    except FileNotFoundError as error:
        report.add(Kind.PROCEDURES_DAMAGED, LOGS, f"a file is missing: {error}")
        return
    procedures: dict[int, Procedure] = {}
    for number, data in sorted(stored.items()):
        try:
            procedures[number] = restored(number, data, KINDS)
        except CorruptionError as error:
            report.add(Kind.PROCEDURE_UNREADABLE, f"procedure {number}", str(error))
    for procedure in procedures.values():
        if procedure.is_over:
            continue
        for lost in _lost(procedure, stored, content):
            text = f"procedure {procedure.id} ({procedure.describe()}) is about {lost}"
            report.add(Kind.PROCEDURE_STRAY, f"procedure {procedure.id}", text)


def _lost(
    procedure: Procedure, stored: Mapping[int, bytes], content: MetaContent | None
) -> Iterator[str]:
    """What the procedure needs and is not there, in words."""
    if procedure.parent and procedure.parent not in stored:
        yield f"a part of procedure {procedure.parent}, which is not there any more"
    if content is None or isinstance(procedure, _COME_AND_GO):
        return
    tables = {row.name: None for row in content.tables}
    if isinstance(procedure, TableProcedure) and procedure.table not in tables:
        yield _no_table(procedure.table)
    if isinstance(procedure, RegionProcedure) and procedure.region.table != META_TABLE:
        yield from _lost_region(procedure.region, tables, content)


def _lost_region(
    region: RegionInfo, tables: Mapping[TableName, None], content: MetaContent
) -> Iterator[str]:
    if region.table not in tables:
        yield _no_table(region.table)
    elif all(row.info.encoded_name != region.encoded_name for row in content.regions):
        yield f"region {region}, which hbase:meta does not have"


def _no_table(table: TableName) -> str:
    return f"table {table}, which hbase:meta does not have"
