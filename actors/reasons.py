"""Why a region is where it is, or why it is not where it should be: for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .assignment import RegionNode, TransitionState
from .procedures.procedure import Lock, Procedure, ProcedureState

if TYPE_CHECKING:
    from .master_term import MasterTerm


def region_reason(term: MasterTerm, node: RegionNode) -> str:
    """In whose hands it is and what that waits for. Empty for a region at rest."""
    worker = _at_work(term, node)
    if worker is not None:
        now = (
            f"procedure {worker.id} ({worker.describe()}), step {worker.step}, "
            f"{term.executor.reason(worker)}"
        )
    elif node.server is not None and term.servers.is_recovering(node.server):
        now = f"its server {node.server} is dead and being recovered"
    elif not term.assignment.wants_open(node) or _is_served(term, node):
        now = ""
    elif not term.initialized.is_set():
        now = "the master is taking over"
    else:
        now = "in no procedure's hands yet; the master looks every few seconds"
    return "; ".join(filter(None, (node.reason, now)))


def _is_served(term: MasterTerm, node: RegionNode) -> bool:
    return node.state == TransitionState.OPEN and term.servers.is_live(node.server)


def _at_work(term: MasterTerm, node: RegionNode) -> Procedure | None:
    """The procedure that has the region, or will have it: the one closest to it."""
    region = Lock.region(node.info.encoded_name).key
    table = Lock.table(node.info.table, exclusive=True).key
    found: dict[tuple[bool, bool], Procedure] = {}
    for procedure in term.executor.unfinished():
        has_locks = procedure.state == ProcedureState.RUNNABLE
        for lock in procedure.locks():
            if lock.exclusive and lock.key in (region, table):
                found.setdefault((lock.key == region and has_locks, has_locks), procedure)
    return found[max(found)] if found else None
