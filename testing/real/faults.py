"""Faults: how each kind is done to a real cluster."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from ...errors import ClusterError, ProcessDiedError, RaybaseError
from .churn import Churn, Trigger
from .plan import FaultKind, Planned
from .ray_nodes import RayNodes
from .victims import Victims

_SHORT_S: Final = (0.5, 2.0)
_LONG_S: Final = (1.3, 2.0)
"""Times the sessions' time-out."""
_RAYLET_S: Final = 12.0
"""Ray gives a node up that was silent three times for 3 s."""
_SEEN_S: Final = 20.0
_HELD_S: Final = 2.0
"""So long a server may stand still and keep its session."""
_TRIES: Final = 6
_FREE_TRIES: Final = 2
"""Tries in which nobody is held still."""
_HEAL_S: Final = 60.0
_POLL_S: Final = 0.001


class Faults:
    """Does what was planned. Blocking; it returns when whoever was held back is back."""

    def __init__(
        self, victims: Victims, nodes: RayNodes, churn: Churn, session_timeout_s: float
    ) -> None:
        self._victims = victims
        self._nodes = nodes
        self._churn = churn
        self._session_timeout_s = session_timeout_s
        self._chance = victims.chance
        self._kinds: dict[FaultKind, Callable[[], str]] = {
            FaultKind.KILL_BUSIEST: lambda: victims.kill(victims.busiest()),
            FaultKind.KILL_META_HOLDER: lambda: victims.kill(victims.meta_holder()),
            FaultKind.KILL_MASTER: lambda: victims.kill(victims.cluster.active_master()),
            FaultKind.KILL_COORDINATOR: lambda: victims.kill("coordinator"),
            FaultKind.KILL_TWO: self._kill_two,
            FaultKind.KILL_IN_RECOVERY: self._kill_in_recovery,
            FaultKind.PAUSE_SERVER: lambda: victims.pause(victims.any_server(), self._short_s()),
            FaultKind.PAUSE_SERVER_LONG: lambda: victims.pause(
                victims.any_server(), self._long_s()
            ),
            FaultKind.PAUSE_MASTER: lambda: victims.pause(
                victims.cluster.active_master(), self._long_s()
            ),
            FaultKind.PAUSE_COORDINATOR: lambda: victims.pause(
                "coordinator", self._chance.choice((self._short_s, self._long_s))()
            ),
            FaultKind.STOP_RAYLET: self._stop_raylet,
            FaultKind.LOSE_NODE: self._lose_node,
        }

    def strike(self, planned: Planned) -> str:
        """What was done. Raises RaybaseError if it could not be done."""
        if planned.kind is FaultKind.IN_PROCEDURE:
            return self._inside(planned.procedure)
        return self._kinds[planned.kind]()

    def _short_s(self) -> float:
        return self._chance.uniform(*_SHORT_S)

    def _long_s(self) -> float:
        return self._session_timeout_s * self._chance.uniform(*_LONG_S)

    def _kill_two(self) -> str:
        names = self._victims.some_servers(2)
        pids = [self._victims.pid_of(one) for one in names]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return " and ".join(names)

    def _kill_in_recovery(self) -> str:
        names = self._victims.some_servers(2)
        first, second = (self._victims.pid_of(one) for one in names)
        os.kill(first, signal.SIGKILL)
        self._await_procedure("server_crash")
        os.kill(second, signal.SIGKILL)
        return f"{names[1]} while {names[0]} was recovered"

    # -- nodes -----------------------------------------------------------------------------

    def _any_node(self) -> Any:
        return self._chance.choice(self._nodes.workers())

    def _stop_raylet(self) -> str:
        node = self._any_node()
        self._nodes.pause_raylet(node)
        try:
            time.sleep(_RAYLET_S)
        finally:
            self._nodes.wake_raylet(node)
        time.sleep(1.0)
        self._nodes.replace(node)
        return f"node {node.node_id[:8]} for {_RAYLET_S:.0f} s, then replaced"

    def _lose_node(self) -> str:
        node = self._any_node()
        self._nodes.lose(node)
        time.sleep(self._chance.uniform(0.0, 3.0))
        self._nodes.add()
        return f"node {node.node_id[:8]}, then replaced"

    # -- inside a procedure ----------------------------------------------------------------

    def _inside(self, kind: str) -> str:
        """Sets a procedure off and kills somebody as soon as it is seen at work; tries again if
        it was over before the kill. Raises ClusterError if that never worked."""
        for attempt in range(_TRIES):
            self._victims.wait_until_whole(_HEAL_S)
            try:
                trigger = self._churn.trigger(kind)
                who, pid = self._victim()
                held = self._victims.pid_of(self._victims.meta_holder())
            except RaybaseError:
                continue
            if attempt < _FREE_TRIES:
                held = 0
            struck = self._strike_inside(kind, trigger, pid, held)
            if struck and self._was_inside(*struck):
                seen = struck[0]
                return f"{who} in procedure {seen['id']}, {seen['what']}, step {seen['step']}"
        raise ClusterError(f"no fault fell inside a procedure of kind {kind!r}")

    def _strike_inside(
        self, kind: str, trigger: Trigger, pid: int, held: int
    ) -> tuple[dict[str, Any], int] | None:
        """The procedure as it was seen, and when the process was killed then, in ms; None if
        none was seen. ``held``: pid of the server of hbase:meta, to stand still meanwhile, for
        a procedure that is too quick to be seen otherwise; or 0."""
        try:
            if held:
                os.kill(held, signal.SIGSTOP)
            running = _in_thread(trigger)
            seen = self._await_procedure(kind, running, _HELD_S if held else _SEEN_S)
            struck_ms = time.time_ns() // 1_000_000
            if seen is not None:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        finally:
            if held:
                with suppress(ProcessLookupError):
                    os.kill(held, signal.SIGCONT)
        running.join(2 * _HEAL_S)
        return (seen, struck_ms) if seen is not None else None

    def _victim(self) -> tuple[str, int]:
        chosen = self._chance.choice(("master", "master", "server", "coordinator"))
        if chosen == "master":
            chosen = self._victims.cluster.active_master()
        elif chosen == "server":
            chosen = self._victims.any_server()
        return chosen, self._victims.pid_of(chosen)

    def _await_procedure(
        self, kind: str, running: threading.Thread | None = None, within_s: float = _SEEN_S
    ) -> dict[str, Any] | None:
        """One of the kind that has its locks and is not over; None if there is none in time."""
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            try:
                master = self._victims.cluster.active_master()
                while time.monotonic() < deadline_s:
                    for one in self._victims.ask(master, "procedures"):
                        if one["kind"] == kind and one["state"] == "RUNNABLE":
                            return dict(one)
                    if running is not None and not running.is_alive():
                        return None
                    time.sleep(_POLL_S)
            except (RaybaseError, ProcessDiedError):
                time.sleep(_POLL_S)
        return None

    def _was_inside(self, seen: dict[str, Any], struck_ms: int) -> bool:
        """Whether the procedure, or the one it is part of, went on after the kill."""
        known = {one["id"]: one for one in self._victims.ask_master("procedures", True)}
        for number in (seen["id"], seen["parent"]):
            if number in known:
                one = known[number]
                return bool(one["updated_ms"] > struck_ms or not _is_over(one))
        return False


def _is_over(procedure: dict[str, Any]) -> bool:
    return procedure["state"] in ("FINISHED", "FAILED")


def _in_thread(trigger: Trigger) -> threading.Thread:
    def run() -> None:
        try:
            trigger()
        except RaybaseError:
            return  # What became of it is seen from its procedure.

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
