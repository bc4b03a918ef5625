"""The cluster in words and numbers: what `raybase status` and GetClusterStatus show."""

from __future__ import annotations

from typing import Any, Final

from ..model import ServerName
from .assignment import RegionNode, TransitionState
from .load_reports import server_reports
from .master_term import MasterTerm
from .messages import ServerStatus
from .procedures.procedure import Procedure
from .reasons import region_reason
from .registry_cache import RegistryCache

_STARTING: Final = (
    "it has not shown itself yet; if that takes long, see whether a node of Ray has room for it "
    "(resource region_server), and its log in Ray's session directory"
)


async def master_status(
    term: MasterTerm, server: ServerName, registry: RegistryCache
) -> dict[str, Any]:
    """Plain data: servers, tables, regions, regions in transition, procedures."""
    loads = await server_reports(term.environment.runtime, term.servers)
    now_s = term.environment.runtime.clock.monotonic_s()
    return {
        "master": str(server),
        "epoch": term.epoch,
        "initialized": term.initialized.is_set(),
        "waits": "" if term.initialized.is_set() else term.waits.describe(),
        "balancer_on": term.switches.balancer,
        "backup_masters": [str(one) for one in registry.standbys],
        "servers": [
            _server(term, one.name, one.process, loads.get(one.name)) for one in term.servers.live()
        ],
        "wanted_servers": term.environment.config.master.region_servers,
        "starting": [
            {"process": name, "age_s": round(now_s - since_s, 1), "reason": _STARTING}
            for name, since_s in term.starter.starting().items()
        ],
        "dead_servers": [str(one) for one in term.dead],
        "recovering": [str(one) for one in term.servers.recovering()],
        "tables": [
            {
                "table": str(one.descriptor.name),
                "state": one.state.name,
                "regions": sum(
                    node.state != TransitionState.SPLIT
                    for node in term.assignment.regions_of(one.descriptor.name)
                ),
            }
            for one in term.assignment.tables(system=True)
        ],
        "regions": [_region(node, now_s) for node in term.assignment.regions()],
        "in_transition": [
            {**_region(node, now_s), "reason": region_reason(term, node)}
            for node in term.assignment.in_transition()
        ],
        "procedures": [procedure_status(term, one) for one in term.executor.unfinished()],
        "last_balanced": _last_balanced(term),
    }


def _last_balanced(term: MasterTerm) -> list[dict[str, Any]]:
    """The moves of the balancer's last round that made any."""
    made = [one for one in term.balancer.decisions if one.made][-1:]
    now_ms = term.environment.runtime.clock.now_ms()
    return [
        {
            "region": str(move.node.info),
            "source": str(move.source),
            "target": str(move.target),
            "age_s": round((now_ms - decision.at_ms) / 1000, 1),
            "reason": move.reason,
        }
        for decision in made
        for move in decision.made
    ]


def _server(
    term: MasterTerm, name: ServerName, process: str, load: ServerStatus | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"server": str(name), "process": process, "answers": load is not None}
    regions = load.regions if load else ()
    found["regions"] = len(
        [one for one in term.assignment.regions_on(name) if one.state == TransitionState.OPEN]
    )
    found["files"] = sum(one.store_files for one in regions)
    found["store_file_bytes"] = sum(one.store_file_bytes for one in regions)
    found["requests"] = sum(one.reads + one.writes for one in regions)
    found["memstore_bytes"] = load.memstore_bytes if load else 0
    found["wal_files"] = load.wal_files if load else 0
    found["counters"] = dict(load.counters) if load else {}
    troubles = list(load.troubles) if load else ["it does not say how it is"]
    found["draining"] = name in term.draining
    if found["draining"]:
        troubles.insert(0, "it is being drained")
    found["trouble"] = "; ".join(troubles)
    return found


def _region(node: RegionNode, now_s: float) -> dict[str, Any]:
    return {
        "region": str(node.info),
        "encoded": node.info.encoded_name,
        "table": str(node.info.table),
        "state": node.state.value,
        "server": str(node.server or ""),
        "age_s": round(now_s - node.since_s, 1),
        "reason": node.reason,
    }


def procedure_status(term: MasterTerm, procedure: Procedure) -> dict[str, Any]:
    """What it is, how far it is, and what it waits for."""
    now_ms = term.environment.runtime.clock.now_ms()
    return {
        "id": procedure.id,
        "parent": procedure.parent,
        "kind": procedure.kind,
        "state": procedure.state,
        "submitted_ms": procedure.submitted_ms,
        "updated_ms": procedure.updated_ms,
        "what": procedure.describe(),
        "step": procedure.step,
        "age_s": round((now_ms - procedure.submitted_ms) / 1000, 1),
        "reason": term.executor.reason(procedure),
    }
