"""A raybase cluster on Ray: starting it, finding it, ending it.

``<root>/cluster.json`` says where the running cluster is, so that later commands need no more
than the root.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ray
from ray import exceptions as ray_errors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .. import __version__
from ..config import ClusterConfig
from ..coordination.layout import Registry
from ..errors import ClusterError, ProcessDiedError, ProcessUnavailableError, RaybaseError
from .ray_join import answers_at, join_ray
from .ray_local import LocalRay
from .ray_root import (
    check_root,
    check_root_is_free,
    claim_root,
    prove_root_is_shared,
    replace_file,
)
from .ray_runtime import kill_process, start_process, translated

COORDINATOR: Final = "coordinator"
_PLACE: Final = "cluster.json"
_CONTROL_TIMEOUT_S: Final = 30.0
_STOP_TIMEOUT_S: Final = 60.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running cluster is."""

    address: str
    namespace: str
    local_ray: LocalRay | None


def _silent(_: str) -> None:
    return


class RayCluster:
    """A running cluster as its operator sees it. Blocking; for drivers, not for actors."""

    def __init__(self, root: Path, place: Place) -> None:
        self.root = root
        self.place = place

    @classmethod
    def start(
        cls,
        root: Path,
        config: ClusterConfig,
        *,
        address: str | None = None,
        namespace: str = "raybase",
        masters: int = 2,
        timeout_s: float = 60.0,
        progress: Progress = _silent,
    ) -> RayCluster:
        """Starts a cluster on the root; returns when hbase:meta is served.

        Joins the Ray at ``address`` (or RAY_ADDRESS), else starts one of its own.

        Raises ClusterError: the sentence says what is in the way and what to do about it.
        """
        root = check_root(root)
        running = cls.find(root)
        if running is not None:
            raise ClusterError(
                f"a cluster is running on {root} already (Ray at {running.place.address}); "
                "see `raybase status`, or end it with `raybase stop`"
            )
        check_root_is_free(root)
        check_port(config.rpc.host, config.rpc.port)
        address = address or os.environ.get("RAY_ADDRESS") or None
        local_ray = None
        if address is None:
            progress("starting Ray")
            local_ray = LocalRay.start()
            local_ray.use_token()
            address = local_ray.address
        cluster = cls(root, Place(address, namespace, local_ray))
        try:
            join_ray(address, namespace)
            cluster._check_name_is_free()
            try:
                cluster._start_processes(config, masters, timeout_s, progress)
            except BaseException:
                cluster._end_processes()
                raise
        except BaseException:
            ray.shutdown()
            if local_ray is not None:
                local_ray.stop()
            raise
        return cluster

    def _check_name_is_free(self) -> None:
        """Raises ClusterError if any process lives under our name: it is another cluster's."""
        if self.processes():
            raise ClusterError(
                f"a cluster called {self.place.namespace!r} runs in the Ray at "
                f"{self.place.address} already; give this one another --name"
            )

    def _start_processes(
        self, config: ClusterConfig, masters: int, timeout_s: float, progress: Progress
    ) -> None:
        """Requires: no process lives under our name."""
        deadline_s = time.monotonic() + timeout_s
        progress("checking that every node sees the root")
        claim_root(self.root)
        prove_root_is_shared(self.root, config.wal)
        progress("starting the coordinator and the masters")
        place = (self.place.namespace, str(self.root))
        coordinator = start_process("coordinator", COORDINATOR, *place, config, {})
        self._get(coordinator.invoke.remote("start", ()), COORDINATOR)
        for number in range(1, masters + 1):
            start_process("master", f"master-{number}", *place, config, {})
        _write_place(self.root, self.place)
        progress("waiting for region servers and hbase:meta")
        self.wait_until_served(max(1.0, deadline_s - time.monotonic()), config)

    @classmethod
    def find(cls, root: Path) -> RayCluster | None:
        """The cluster that runs on the root, joined; None if none does."""
        place = _read_place(root)
        if place is None:
            return None
        if place.local_ray is not None:
            if not place.local_ray.alive:
                return None
            place.local_ray.use_token()
        elif not answers_at(place.address):
            return None
        join_ray(place.address, place.namespace)
        cluster = cls(root, place)
        return cluster if cluster._exists(COORDINATOR) else None

    @classmethod
    def get(cls, root: Path) -> RayCluster:
        """As ``find``, but it is a ClusterError if no cluster runs there."""
        if not root.is_dir():
            raise ClusterError(f"there is no root {root}; name one with --root")
        cluster = cls.find(root)
        if cluster is None:
            raise ClusterError(f"no cluster is running on {root}; start one with `raybase start`")
        return cluster

    def wait_until_served(self, timeout_s: float, config: ClusterConfig) -> dict[str, Any]:
        """Waits until a master is active, hbase:meta open and all region servers there."""
        deadline_s = time.monotonic() + timeout_s
        said = "no master answered"
        while time.monotonic() < deadline_s:
            try:
                status = self.status()
                servers = len(status["servers"])
                if status["initialized"] and servers >= config.master.region_servers:
                    return status
                said = f"{servers} region servers, initialized: {status['initialized']}"
            except RaybaseError as error:
                if isinstance(error, ClusterError) and "in use" in str(error):
                    raise
                said = str(error)
            time.sleep(0.05)
        raise ClusterError(
            f"the cluster was not served within {timeout_s:.0f} s ({said}); the processes' logs "
            "are in Ray's session directory"
        )

    def call(self, process: str, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        """A control call to a process. Raises what it raises, ProcessDiedError, or ours."""
        return self._get(self._begin_call(process, method, *args), process, timeout_s)

    def _begin_call(self, process: str, method: str, *args: Any) -> Any:
        """Ray's reference to the coming answer. Raises ProcessDiedError."""
        try:
            handle = ray.get_actor(process, namespace=self.place.namespace)
        except ValueError:
            raise ProcessDiedError(f"no process is called {process!r}") from None
        return handle.invoke.remote(method, args)

    def _get(self, reference: Any, process: str, timeout_s: float | None = None) -> Any:
        try:
            return ray.get(reference, timeout=timeout_s or _CONTROL_TIMEOUT_S)
        except ray_errors.RayError as error:
            raise translated(error, process) from None

    def registry(self) -> Registry:
        """Addresses of masters and region servers, from the coordinator."""
        answer: Registry = self.call(COORDINATOR, "registry")
        return answer

    def addresses(self) -> str:
        """``host:port,...`` of the region servers, for clients. Raises ClusterError."""
        servers = self.registry().region_servers
        if not servers:
            raise ClusterError("no region server is registered; see `raybase status`")
        return ",".join(one.server.address for one in servers)

    def status(self) -> dict[str, Any]:
        """The active master's view of the cluster."""
        answer: dict[str, Any] = self.call(self.active_master(), "status")
        return answer

    def active_master(self) -> str:
        """Process name of the active master. Raises ClusterError if there is none."""
        master = self.registry().master
        if master is None:
            raise ClusterError("no master is active at the moment; one should be soon")
        return master.process

    def processes(self) -> list[str]:
        """Names of all processes of this cluster; one that just died may be among them."""
        names = ray.util.list_named_actors(all_namespaces=True)
        return sorted(one["name"] for one in names if one["namespace"] == self.place.namespace)

    def describe(self, process: str) -> dict[str, Any]:
        """Version, configuration, pid and node of a process."""
        answer: dict[str, Any] = self.call(process, "describe")
        return answer

    def kill(self, process: str) -> None:
        """Ends a process at once and for good, as a fault or for a test."""
        kill_process(process, self.place.namespace)

    def signal(self, process: str, number: int) -> None:
        """Sends the process an operating-system signal, on whichever node it runs."""
        found = self.describe(process)
        strategy = NodeAffinitySchedulingStrategy(found["node"], soft=False)
        task = ray.remote(num_cpus=0)(_send_signal).options(scheduling_strategy=strategy)
        self._get(task.remote(found["pid"], int(number)), process)

    def check_version(self) -> None:
        """Raises ClusterError unless all processes run our version, with one configuration."""
        described = {COORDINATOR: self.describe(COORDINATOR)}
        for name in self.processes():
            with contextlib.suppress(ProcessDiedError):
                described[name] = self.describe(name)
        for name, found in described.items():
            if found["version"] != __version__:
                raise ClusterError(
                    f"{name} runs raybase {found['version']}, this is {__version__}; use the "
                    "same version, or stop the cluster and start it with this one"
                )
            if found["config"] != described[COORDINATOR]["config"]:
                raise ClusterError(
                    f"{name} runs with other settings than the coordinator; stop the cluster "
                    "and start it again"
                )

    def stop(self, progress: Progress = _silent) -> None:
        """Ends the cluster cleanly: regions are flushed and closed, then its Ray if ours.

        A server that cannot be reached is ended without that: its edits are in its log.
        """
        progress("closing regions")
        self._stop_processes(progress)
        self._end_processes()
        ray.shutdown()
        if self.place.local_ray is not None:
            progress("ending the Ray of this cluster")
            self.place.local_ray.stop()

    def stop_process(self, process: str) -> None:
        """Ends a region server cleanly: its regions are flushed and closed, if it has any.

        Raises ProcessUnavailableError; it is ended, and what it had is recovered.
        """
        try:
            self._get(self._begin_call(process, "stop"), process, _STOP_TIMEOUT_S)
        except ProcessDiedError:
            return
        finally:
            kill_process(process, self.place.namespace)

    def _stop_processes(self, progress: Progress) -> None:
        """Masters first, so that nothing is started again; the coordinator last."""
        names = self.processes()
        masters = [name for name in names if name.startswith("master")]
        for name in masters:
            kill_process(name, self.place.namespace)
        stopping = {}
        for name in names:
            if name == COORDINATOR or name in masters:
                continue
            with contextlib.suppress(ProcessDiedError):
                stopping[name] = self._begin_call(name, "stop")
        for name, reference in stopping.items():
            try:
                self._get(reference, name, _STOP_TIMEOUT_S)
            except ProcessDiedError:
                continue
            except ProcessUnavailableError as error:
                progress(f"{name} was not flushed, the next start replays its log: {error}")

    def _end_processes(self) -> None:
        """Ends whatever lives under our name, and forgets where it was."""
        for name in self.processes():
            kill_process(name, self.place.namespace)
        (self.root / _PLACE).unlink(missing_ok=True)

    def _exists(self, name: str) -> bool:
        try:
            ray.get_actor(name, namespace=self.place.namespace)
        except ValueError:
            return False
        return True


def check_port(host: str, port: int) -> None:
    """Raises ClusterError if the port region servers shall begin with is another program's."""
    if port == 0:
        return
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        raise ClusterError(
            f"port {port} of {host} is taken or not ours to use ({error.strerror}); give another "
            "--port, or 0 for any free one"
        ) from None


def _send_signal(pid: int, number: int) -> None:
    os.kill(pid, number)


def _write_place(root: Path, place: Place) -> None:
    local = place.local_ray.as_dict() if place.local_ray else None
    text = {"address": place.address, "namespace": place.namespace, "local_ray": local}
    replace_file(root / _PLACE, json.dumps(text))


def _read_place(root: Path) -> Place | None:
    try:
        found = json.loads((root / _PLACE).read_text())
        local = found["local_ray"]
        return Place(found["address"], found["namespace"], LocalRay(**local) if local else None)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise ClusterError(
            f"{root / _PLACE} is damaged; remove it if no cluster runs on this root"
        ) from None
