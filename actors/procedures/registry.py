"""Kinds of procedures by the name that stands in the store. A name is never given anew."""

from __future__ import annotations

from typing import Final

from .adopt import AdoptRegionProcedure
from .alter import AlterTableProcedure
from .assign import AssignProcedure, ReopenProcedure, UnassignProcedure
from .clean_parent import CleanParentProcedure
from .crash import ServerCrashProcedure
from .flush import FlushTableProcedure
from .merge import CleanMergeParentsProcedure, MergeProcedure
from .move import MoveProcedure
from .namespaces import (
    CreateNamespaceProcedure,
    DeleteNamespaceProcedure,
    ModifyNamespaceProcedure,
)
from .procedure import Procedure
from .split import SplitProcedure
from .tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
    TruncateTableProcedure,
)

KINDS: Final[dict[str, type[Procedure]]] = {
    kind.kind: kind
    for kind in (
        AdoptRegionProcedure,
        AlterTableProcedure,
        AssignProcedure,
        CleanMergeParentsProcedure,
        CleanParentProcedure,
        CreateNamespaceProcedure,
        CreateTableProcedure,
        DeleteNamespaceProcedure,
        DeleteTableProcedure,
        DisableTableProcedure,
        EnableTableProcedure,
        FlushTableProcedure,
        MergeProcedure,
        ModifyNamespaceProcedure,
        MoveProcedure,
        ReopenProcedure,
        ServerCrashProcedure,
        SplitProcedure,
        TruncateTableProcedure,
        UnassignProcedure,
    )
}
