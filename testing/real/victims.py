"""Victims: the cluster's processes as somebody sees them who is about to break them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from random import Random
from typing import Any, Final

from ...actors.ray_cluster import COORDINATOR, RayCluster
from ...errors import ClusterError, RaybaseError

_POLL_S: Final = 0.05
_CALL_TIMEOUT_S: Final = 5.0


class Victims:
    """Finds processes by what they do, and sends them signals. Blocking."""

    def __init__(self, cluster: RayCluster, chance: Random) -> None:
        self.cluster = cluster
        self.chance = chance

    # -- asking ----------------------------------------------------------------------------

    def ask(self, process: str, method: str, *args: Any) -> Any:
        return self.cluster.call(process, method, *args, timeout_s=_CALL_TIMEOUT_S)

    def ask_master(self, method: str, *args: Any, within_s: float = 60.0) -> Any:
        """As soon as a master answers. Raises what it answers, ClusterError if none does."""
        deadline_s = time.monotonic() + within_s
        while True:
            try:
                return self.ask(self.cluster.active_master(), method, *args)
            except RaybaseError as error:
                if time.monotonic() > deadline_s:
                    raise ClusterError(f"no master answers {method}: {error}") from error
            time.sleep(_POLL_S)

    def trouble(self) -> str:
        """Why the cluster is not whole: "" if all regions are where they should be, all servers
        are there, and nobody is being recovered."""
        try:
            status = self.ask(self.cluster.active_master(), "status")
        except RaybaseError as error:
            return f"no master: {error}"
        if not status["initialized"]:
            return "the master is taking over"
        wanted = self.cluster.describe(COORDINATOR)["config"]["master"]["region_servers"]
        if len(status["servers"]) < wanted:
            return f"{len(status['servers'])} of {wanted} servers"
        if status["recovering"]:
            return f"recovering {status['recovering']}"
        if status["in_transition"]:
            waiting = [f"{one['region']} {one['reason']}" for one in status["in_transition"]]
            return f"in transition: {'; '.join(waiting)}"
        return ""

    def wait_until_whole(self, within_s: float) -> str:
        """ "" as soon as it is; why it is not, if that takes longer."""
        deadline_s = time.monotonic() + within_s
        trouble = "nobody looked"
        while time.monotonic() < deadline_s:
            try:
                trouble = self.trouble()
            except RaybaseError as error:
                trouble = str(error)
            if not trouble:
                return ""
            time.sleep(2 * _POLL_S)
        return trouble

    # -- who -------------------------------------------------------------------------------

    def servers(self) -> list[str]:
        """Process names of the registered region servers."""
        return [one.process for one in self.cluster.registry().region_servers]

    def some_servers(self, count: int) -> list[str]:
        """So many different ones. Raises ClusterError if fewer live."""
        names = self.servers()
        if len(names) < count:
            raise ClusterError(f"{len(names)} servers live")
        return self.chance.sample(names, count)

    def any_server(self) -> str:
        return self.some_servers(1)[0]

    def busiest(self) -> str:
        servers = self.ask_master("status")["servers"]
        if not servers:
            raise ClusterError("no server lives")
        return str(max(servers, key=lambda one: one["regions"])["process"])

    def meta_holder(self) -> str:
        status = self.ask_master("status")
        holder = next(one["server"] for one in status["regions"] if one["table"] == "hbase:meta")
        for one in status["servers"]:
            if one["server"] == holder:
                return str(one["process"])
        raise ClusterError("hbase:meta is not served")

    def pid_of(self, process: str) -> int:
        return int(self.ask(process, "describe")["pid"])

    # -- signals ---------------------------------------------------------------------------

    def kill(self, process: str) -> str:
        os.kill(self.pid_of(process), signal.SIGKILL)
        return process

    def pause(self, process: str, duration_s: float) -> str:
        """SIGSTOP, and SIGCONT after the duration."""
        pid = self.pid_of(process)
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(duration_s)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        return f"{process} for {duration_s:.1f} s"
