"""A Ray of our own: started for a cluster, outliving the command, ended with the cluster.

It lives in a temporary directory of its own, with a token of its own, beside any other Ray of
the user; ending it touches no process but those it started.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psutil

from ..errors import ClusterError

_START_TIMEOUT_S: Final = 60.0
_END_TIMEOUT_S: Final = 5.0
_OBJECT_STORE_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalRay:
    """A one-node Ray that raybase started and may end."""

    address: str
    leader_pid: int
    """`ray start --block`; it leads the operating-system session of all Ray's processes."""
    leader_created_s: float
    """Its creation time: a pid alone may have gone to another program."""
    directory: str
    token_path: str

    @classmethod
    def start(cls, *, cpus: int | None = None) -> LocalRay:
        """Starts Ray; returns when it accepts drivers.

        Raises ClusterError with the end of Ray's own output if it does not come up.
        """
        # AF_UNIX paths hold about 100 bytes, which a long TMPDIR would use up.
        directory = tempfile.mkdtemp(prefix="raybase-", dir="/tmp")
        token_path = Path(directory, "token")
        token_path.touch(mode=0o600)
        token_path.write_text(secrets.token_hex(32))
        output_path = Path(directory, "start.log")
        with output_path.open("wb") as output:
            leader = subprocess.Popen(  # noqa: S603
                _command(directory, cpus),
                env=_environment_of_ray(str(token_path)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        address = _wait_for_address(leader, Path(directory), output_path)
        return cls(
            address=address,
            leader_pid=leader.pid,
            leader_created_s=psutil.Process(leader.pid).create_time(),
            directory=directory,
            token_path=str(token_path),
        )

    @property
    def alive(self) -> bool:
        try:
            leader = psutil.Process(self.leader_pid)
            same = leader.create_time() == self.leader_created_s
            return bool(same and leader.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def use_token(self) -> None:
        """Makes this process present the token when it joins."""
        os.environ.update(_environment(self.token_path))

    def stop(self) -> None:
        """Ends every process of this Ray, and nothing else; removes its directory.

        raybase's own processes have ended before, so nothing here deserves Ray's drain time.
        """
        if self.alive:
            processes = self._processes()
            for process in processes:
                _signal(process)
            _, left = psutil.wait_procs(processes, timeout=_END_TIMEOUT_S)
            if left:
                raise ClusterError(f"processes of Ray did not end: {[one.pid for one in left]}")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _processes(self) -> list[psutil.Process]:
        members = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.leader_pid:
                    members.append(process)
            except (ProcessLookupError, PermissionError):
                continue
        return members

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _command(directory: str, cpus: int | None) -> list[str]:
    ray = Path(sys.executable).with_name("ray")
    command = [
        str(ray) if ray.exists() else "ray",
        "start",
        "--head",
        "--block",
        "--port=0",
        f"--temp-dir={directory}",
        "--node-ip-address=127.0.0.1",
        "--include-dashboard=false",
        "--disable-usage-stats",
        f"--object-store-memory={_OBJECT_STORE_BYTES}",
    ]
    if find_spec("grpc"):
        # With ray[client] installed Ray would also take a port that a Ray of the user may hold.
        command.append(f"--ray-client-server-port={_free_port()}")
    return [*command, f"--num-cpus={cpus}"] if cpus else command


def _environment(token_path: str) -> dict[str, str]:
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": token_path,
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def _environment_of_ray(token_path: str) -> dict[str, str]:
    """What a user has set for another Ray, or a command for its own output, is not for this.

    Ray starts workers at niceness 15, for they are batch work to it. These are servers, which
    would wait behind any other program of the machine.
    """
    others = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    return {**others, **_environment(token_path), "RAY_worker_niceness": "0"}


def _free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_address(leader: subprocess.Popen[bytes], directory: Path, output: Path) -> str:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    address = directory / "ray_current_cluster"
    while time.monotonic() < deadline_s:
        if leader.poll() is not None:
            break
        if address.exists() and "block forever" in output.read_text(errors="replace"):
            return address.read_text().strip()
        time.sleep(0.02)
    tail = "\n".join(output.read_text(errors="replace").splitlines()[-15:])
    if leader.poll() is None:
        leader.kill()
    raise ClusterError(f"a local Ray could not be started; it said:\n{tail}")


def _signal(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
