"""Finding a cluster by its name in Ray: the one place of the client that knows Ray."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Final

import ray
from ray import exceptions as ray_errors

from ..actors.ray_cluster import COORDINATOR
from ..actors.ray_join import join_ray
from ..actors.ray_runtime import translated
from ..coordination.layout import Registry
from ..errors import ClusterError, MasterNotRunningError
from .effects import Address

_TIMEOUT_S: Final = 30.0


def servers_of(namespace: str) -> list[Address]:
    """RPC addresses of the cluster's live servers, region servers first.

    A process outside of Ray joins the Ray at RAY_ADDRESS for this.

    Raises:
        ClusterError: no Ray, or no cluster of this name in it; says what to do.
        MasterNotRunningError: no server is registered now; try again.
    """
    reference = _ask(namespace)
    try:
        found: Registry = ray.get(reference, timeout=_TIMEOUT_S)
    except ray_errors.RayError as error:
        raise translated(error, COORDINATOR) from error
    return _addresses(found, namespace)


async def servers_of_async(namespace: str) -> list[Address]:
    """As ``servers_of``, without blocking the event loop while the coordinator answers."""
    reference = _ask(namespace)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            found: Registry = await reference
    except ray_errors.RayError as error:
        raise translated(error, COORDINATOR) from error
    except TimeoutError:
        raise MasterNotRunningError(f"the coordinator of {namespace!r} does not answer") from None
    return _addresses(found, namespace)


def _ask(namespace: str) -> Any:
    _join(namespace)
    try:
        coordinator = ray.get_actor(COORDINATOR, namespace=namespace)
    except ValueError:
        raise ClusterError(
            f"no cluster called {namespace!r} runs in this Ray; start one with `raybase start`"
        ) from None
    return coordinator.invoke.remote("registry", ())


def _addresses(found: Registry, namespace: str) -> list[Address]:
    members = [*found.region_servers, *([found.master] if found.master else [])]
    if not members:
        raise MasterNotRunningError(f"no server of the cluster {namespace!r} is registered yet")
    return [(one.server.host, one.server.port) for one in members]


def _join(namespace: str) -> None:
    if ray.is_initialized():
        return
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        raise ClusterError(
            "connect() without an address works inside a Ray cluster; set RAY_ADDRESS, or give "
            "a server's address: raybase.connect('host:port') (see `raybase status`)"
        )
    join_ray(address, namespace)
