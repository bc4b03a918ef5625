"""The seam over Ray: processes are named actors, tasks are Ray tasks, objects are objects.

The only modules that import Ray are the ``ray_*`` ones of this folder and of client/. A Ray
exception never leaves them: it becomes one of ours, or the one the callee raised.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import numpy as np
import ray
from ray import exceptions as ray_errors

from ..config import ClusterConfig
from ..errors import ObjectLostError, ProcessDiedError, ProcessUnavailableError, RaybaseError
from ..runtime import Buffer, FileSystem, Objects, Remote, Runtime
from .posix import PosixFiles
from .system import SystemClock, SystemEntropy, TcpNetwork

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 60.0
"""Longest wait of a control call that names none; only ``hold`` and polls wait for ever."""
_DESCRIBE_TIMEOUT_S = 2.0
STORE_TIMEOUT_S = 3.0
"""After this a file is read instead of its object, or not put into the store."""
_STORE_BYTES_PER_S = 50 * 1024 * 1024
"""A put is given so much more time for its bytes: a tenth of what it takes on a quiet machine."""
_STORE_THREADS = 4
_NODE_RESOURCE = "region_server"
"""Custom resource by which a cluster file says which nodes take region servers."""


def runtime_of(root: str, namespace: str, name: str, config: ClusterConfig) -> Runtime:
    """The real world, for the process called ``name`` of the cluster in ``namespace``."""
    return Runtime(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        files=PosixFiles(root),
        network=TcpNetwork(),
        processes=RayProcesses(root, namespace, name, config),
        tasks=RayTasks(root),
        objects=RayObjects(),
    )


class RayRemote:
    """A named actor, found at the first call and again after it died."""

    def __init__(self, name: str, namespace: str) -> None:
        self.name = name
        self._namespace = namespace
        self._handle: Any = None

    async def call(self, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        """Source of the rules: runtime.Remote.call."""
        if self._handle is None:
            self._handle = await in_thread(self._find)
        reference = self._handle.invoke.remote(method, args)
        try:
            async with asyncio.timeout(timeout_s):
                return await reference
        except TimeoutError:
            raise ProcessUnavailableError(
                f"{self.name}: no answer to {method} in {timeout_s} s"
            ) from None
        except ray_errors.RayError as error:
            self._handle = None
            raise translated(error, self.name) from None

    def _find(self) -> Any:
        try:
            return ray.get_actor(self.name, namespace=self._namespace)
        except ValueError:
            raise ProcessDiedError(f"no process is called {self.name!r}") from None
        except ray_errors.RayError as error:
            raise translated(error, self.name) from None


def translated(error: ray_errors.RayError, name: str) -> Exception:
    """What a Ray exception means in our words."""
    if isinstance(error, ray_errors.RayTaskError):
        cause = error.cause
        return cause if isinstance(cause, Exception) else ProcessUnavailableError(str(error))
    if isinstance(error, ray_errors.ActorDiedError | ray_errors.WorkerCrashedError):
        return ProcessDiedError(f"{name}: {error}".splitlines()[0])
    return ProcessUnavailableError(f"{name}: {type(error).__name__}: {error}".splitlines()[0])


class RayProcesses:
    """Starting, reaching and ending processes as detached, named Ray actors."""

    def __init__(self, root: str, namespace: str, own_name: str, config: ClusterConfig) -> None:
        self._root = root
        self._namespace = namespace
        self._own_name = own_name
        self._config = config
        self._remotes: dict[str, RayRemote] = {}

    def remote(self, name: str) -> Remote:
        found = self._remotes.get(name)
        if found is None:
            found = self._remotes[name] = RayRemote(name, self._namespace)
        return found

    async def spawn(
        self, role: str, name: str, arguments: dict[str, Any], away_from: Sequence[str] = ()
    ) -> None:
        nodes = [node for one in away_from if (node := await self._node_of(one))]
        await in_thread(
            start_process, role, name, self._namespace, self._root, self._config, arguments, nodes
        )

    async def _node_of(self, name: str) -> str:
        """Ray's id of the node; "" if the process does not say."""
        try:
            described = await self.remote(name).call("describe", timeout_s=_DESCRIBE_TIMEOUT_S)
        except RaybaseError:
            return ""
        return str(described["node"])

    async def kill(self, name: str) -> None:
        await in_thread(kill_process, name, self._namespace)
        self._remotes.pop(name, None)

    def exit(self, reason: str) -> None:
        """This operating-system process ends at once, and only this one: a successor that Ray
        began under the same name goes on. Ray begins a master or the coordinator again."""
        log.error("%s ends: %s", self._own_name, reason)
        end_now()


def end_now() -> NoReturn:
    """Ends this operating-system process without any clean-up that could still answer."""
    logging.shutdown()
    os._exit(1)


def start_process(
    role: str,
    name: str,
    namespace: str,
    root: str,
    config: ClusterConfig,
    arguments: dict[str, Any],
    avoided: Sequence[str] = (),
) -> Any:
    """Creates the actor, which begins to start by itself; returns its handle.

    It is not placed on the nodes ``avoided``, if there are others.
    """
    from .ray_process import ClusterProcess

    options: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "lifetime": "detached",
        "num_cpus": 0,
        "max_concurrency": 1000,
        # A region server's life is its name: the master starts the next one. The others
        # read their state back from files.
        "max_restarts": 0 if role == "region_server" else -1,
        "max_task_retries": 0,
        "enable_task_events": False,
    }
    if role == "region_server":
        options["scheduling_strategy"] = "SPREAD"
        nodes = {one["NodeID"]: one["Resources"] for one in ray.nodes() if one["Alive"]}
        if ray.cluster_resources().get(_NODE_RESOURCE):
            options["resources"] = {_NODE_RESOURCE: 1}
            nodes = {node: has for node, has in nodes.items() if _NODE_RESOURCE in has}
        if avoided and nodes.keys() - set(avoided):
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(sorted(avoided))})"}
    actor = ray.remote(ClusterProcess).options(**options)
    return actor.remote(role, name, namespace, root, config, arguments)


def kill_process(name: str, namespace: str) -> None:
    """Ends the actor for good, if there is one of this name."""
    try:
        ray.kill(ray.get_actor(name, namespace=namespace), no_restart=True)
    except ValueError:
        return


class RayTasks:
    """Jobs as Ray tasks, spread over the nodes."""

    def __init__(self, root: str) -> None:
        self._root = root

    async def run(self, job: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        reference = _remote_job.remote(self._root, job, args)
        try:
            return await reference
        except ray_errors.RayError as error:
            raise translated(error, getattr(job, "__name__", "job")) from None


def _run_job(root: str, job: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> Any:
    """In the worker: the job with a file system and an object store of its own."""
    files: FileSystem = PosixFiles(root)
    objects: Objects = RayObjects()

    async def run() -> Any:
        return await job(files, objects, *args)

    return asyncio.run(run())


# No CPU is reserved: recovery must not wait until a user's tasks leave one.
_remote_job = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy="SPREAD")(_run_job)


class RayObjects:
    """Arrays of bytes in Ray's object store, read in place.

    The store is part of its node's raylet: where that hangs, so does whoever asks it. It is
    a cache, so nobody waits for it for long, and it is left alone while a call of ours hangs
    in it.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_STORE_THREADS, thread_name_prefix="objects")
        self._hanging = 0

    @property
    def node(self) -> str:
        found: str = ray.get_runtime_context().get_node_id()
        return found

    async def put(self, data: Buffer) -> Any:
        if self._hanging:
            raise ObjectLostError("the object store of this node does not answer")
        array = np.frombuffer(data, np.uint8)
        put = asyncio.get_running_loop().run_in_executor(self._threads, ray.put, array)
        try:
            async with asyncio.timeout(STORE_TIMEOUT_S + len(array) / _STORE_BYTES_PER_S):
                return await asyncio.shield(put)
        except TimeoutError:
            self._hanging += 1
            put.add_done_callback(self._answered)
            raise ObjectLostError(f"no answer to a put of {len(array)} bytes") from None
        except ray_errors.RayError as error:
            raise ObjectLostError(f"cannot put {len(array)} bytes: {error}") from None

    def _answered(self, put: asyncio.Future[Any]) -> None:
        """Late, or with an error: nobody wants it any more."""
        self._hanging -= 1
        if not put.cancelled():
            put.exception()

    async def get(self, reference: Any) -> memoryview:
        try:
            async with asyncio.timeout(STORE_TIMEOUT_S):
                array = await reference
        except TimeoutError:
            raise ObjectLostError(f"no answer from the object store: {reference}") from None
        except ray_errors.RayError as error:
            raise ObjectLostError(f"{type(error).__name__}: {reference}") from None
        return memoryview(array)


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Ray calls that block, off the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)
