"""The coordinator's state as others read it: clients beginning, people looking."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..errors import IllegalArgumentError, NoNodeError
from ..model import ServerName
from .layout import (
    BACKUP_MASTERS,
    CLUSTER_ID,
    MASTER,
    META_REGION_SERVER,
    REGION_SERVERS,
    Member,
    Registry,
    decode_data,
)
from .requests import GetChildren, GetData
from .state import CoordinatorState
from .tree import Tree
from .znode import join


def registry_of(tree: Tree) -> Registry:
    """Who is there. A znode whose data names no server is left out."""
    return Registry(
        cluster_id=(_data(tree, CLUSTER_ID) or b"").decode(),
        master=_member(tree, MASTER),
        backup_masters=_members(tree, BACKUP_MASTERS),
        region_servers=_members(tree, REGION_SERVERS),
        meta=_member(tree, META_REGION_SERVER),
    )


def describe_state(state: CoordinatorState, live: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Everything, in plain values; ``live`` adds to each session what is not in the state."""
    sessions = [
        {
            "session_id": session.session_id,
            "holder": session.holder,
            "timeout_s": session.timeout_ms / 1000,
            "last_xid": session.last_xid,
            "events_made": session.events_made,
            "events_unconfirmed": len(session.events),
            "watches": state.watches.count(session.session_id),
            "ephemerals": state.tree.ephemerals(session.session_id),
            **live.get(session.session_id, {}),
        }
        for session in state.sessions.values()
    ]
    znodes = {
        path: {**asdict(state.tree.stat(path)), "data": znode.data} for path, znode in state.tree
    }
    return {
        "zxid": state.zxid,
        "sessions": sessions,
        "znodes": znodes,
        "watches": [
            {"session_id": owner, "kind": kind.name, "path": path}
            for owner, kind, path, _ in state.watches
        ],
    }


def _data(tree: Tree, path: str) -> bytes | None:
    try:
        result = tree.read(GetData(path))
    except NoNodeError:
        return None
    assert isinstance(result, tuple)
    data = result[0]
    assert isinstance(data, bytes)
    return data


def _member(tree: Tree, path: str, server: str | None = None) -> Member | None:
    data = _data(tree, path)
    if data is None:
        return None
    try:
        values = decode_data(data)
        name = ServerName.parse(str(values.get("server", server)))
    except (ValueError, IllegalArgumentError):
        return None
    return Member(name, str(values.get("process", "")))


def _members(tree: Tree, above: str) -> tuple[Member, ...]:
    try:
        names = tree.read(GetChildren(above))
    except NoNodeError:
        return ()
    assert isinstance(names, tuple)
    found = [_member(tree, join(above, str(name)), str(name)) for name in names]
    return tuple(member for member in found if member is not None)
