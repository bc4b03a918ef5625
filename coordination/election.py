"""Leader election with an ephemeral znode (ActiveMasterManager.java).

Who makes the znode leads. The transaction that made it is the leader's epoch: transactions are
numbered without end over restarts of the coordinator, so a later leader has a higher epoch.
"""

from __future__ import annotations

from contextlib import suppress

from ..errors import NodeExistsError, NoNodeError
from .recipe import WATCH, Recipe
from .requests import Create, Delete, GetData


def campaign(path: str, standby_path: str, data: bytes, session_id: int) -> Recipe[int]:
    """Returns the epoch once this session owns ``path``; until then it is listed as standby.

    Several runs in one session, one after another, are one candidate: the znode is found
    again by its owner.
    """
    yield from _ensure_standby(standby_path, data)
    while True:
        with suppress(NodeExistsError):
            yield Create(path, data, ephemeral=True)
        try:
            _, stat = yield GetData(path, watch=True)
        except NoNodeError:
            continue
        if stat.ephemeral_owner == session_id:
            yield from _delete(standby_path)
            return int(stat.czxid)
        yield WATCH


def resign(path: str, standby_path: str, session_id: int) -> Recipe[None]:
    """Gives up the lead, if this session has it, and the place among the standbys."""
    yield from _delete(standby_path)
    try:
        _, stat = yield GetData(path)
    except NoNodeError:
        return
    if stat.ephemeral_owner == session_id:
        yield from _delete(path)


def _ensure_standby(standby_path: str, data: bytes) -> Recipe[None]:
    try:
        yield Create(standby_path, data, ephemeral=True)
    except NodeExistsError:
        return


def _delete(path: str) -> Recipe[None]:
    try:
        yield Delete(path)
    except NoNodeError:
        return
