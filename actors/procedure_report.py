"""Procedures and their locks in HBase's messages, for getProcedures and getLocks."""

from __future__ import annotations

from typing import Final

from ..rpc.proto import hbase_pb2 as pb
from .master_term import MasterTerm
from .procedures.procedure import Lock, Procedure, ProcedureState

_STATES: Final = {
    ProcedureState.WAITING: pb.WAITING,
    ProcedureState.RUNNABLE: pb.RUNNABLE,
    ProcedureState.FINISHED: pb.SUCCESS,
    ProcedureState.FAILED: pb.FAILED,
}
_KINDS: Final = {"server": pb.SERVER, "table": pb.TABLE, "region": pb.REGION}


def procedures_to_pb(term: MasterTerm) -> pb.GetProceduresResponse:
    """Those under way, and the last that ended."""
    response = pb.GetProceduresResponse()
    response.procedure.extend(_procedure(term, one) for one in term.executor.all())
    return response


def locks_to_pb(term: MasterTerm) -> pb.GetLocksResponse:
    """Every name that is locked, with those who wait for it."""
    response = pb.GetLocksResponse()
    for key, holders in term.executor.locks.held():
        kind, _, name = key.partition(" ")
        owner = next((one for one, exclusive in holders.items() if exclusive), None)
        lock = response.lock.add(
            resource_type=_KINDS.get(kind, pb.NAMESPACE),
            resource_name=name,
            lock_type=pb.SHARED if owner is None else pb.EXCLUSIVE,
            shared_lock_count=sum(not exclusive for exclusive in holders.values()),
        )
        if owner is not None and (procedure := term.executor.get(owner)) is not None:
            lock.exclusive_lock_owner_procedure.CopyFrom(_procedure(term, procedure))
        for waiter in term.executor.locks.waiting(Lock(key, exclusive=True)):
            procedure = term.executor.get(waiter)
            if procedure is not None:
                lock.waitingProcedures.append(_procedure(term, procedure))
    return response


def _procedure(term: MasterTerm, procedure: Procedure) -> pb.Procedure:
    message = pb.Procedure(
        class_name=type(procedure).__name__,
        proc_id=procedure.id,
        submitted_time=procedure.submitted_ms,
        state=_STATES[ProcedureState(procedure.state)],
        last_update=procedure.updated_ms,
        description=procedure.describe(),
        step=procedure.step,
        reason=term.executor.reason(procedure),
    )
    if procedure.parent:
        message.parent_id = procedure.parent
    error = procedure.outcome()
    if error is not None:
        exception = message.exception.generic_exception
        exception.class_name = error.java_class
        exception.message = str(error)
    return message
