"""The file-system calls of append, roll and archive: which, and in which order.

The same story runs on the simulated disk, which records its calls, and on a real directory
below a spy on the system calls. Both must make the calls listed here: so what crash images
show of the simulated disk holds of the real one.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from raybase.actors import posix, posix_calls
from raybase.actors.log_writer import LogWriter
from raybase.actors.posix import PosixFiles
from raybase.actors.system import SystemClock, SystemEntropy
from raybase.config import WalConfig
from raybase.model import Durability, TableName
from raybase.runtime import Runtime
from raybase.storage.wal import FamilyCells, WalRecord
from raybase.testing import Simulation

SERVER = "host,1,1"
FIRST, SECOND = f"WALs/{SERVER}/1", f"WALs/{SERVER}/2"

CREATE = [
    "mkdir WALs",
    "syncdir .",
    f"mkdir WALs/{SERVER}",
    "syncdir WALs",
    f"create {FIRST}",
    f"syncdir WALs/{SERVER}",
    f"write {FIRST}",
    f"sync {FIRST}",
]
"""The name is durable, and then the head, before the first edit."""
SYNCED_APPEND = [f"write {FIRST}", f"sync {FIRST}"]
ASYNC_APPEND = [f"write {FIRST}"]
ROLL = [
    f"sync {FIRST}",
    f"write {FIRST}",
    f"sync {FIRST}",
    f"create {SECOND}",
    f"syncdir WALs/{SERVER}",
    f"write {SECOND}",
    f"sync {SECOND}",
]
"""The edits, then the batch that calls them durable, then the next file and its head."""
ARCHIVE = [
    "mkdir oldWALs",
    "syncdir .",
    f"mkdir oldWALs/{SERVER}",
    "syncdir oldWALs",
    f"rename {FIRST} oldWALs/{SERVER}/1",
    f"syncdir oldWALs/{SERVER}",
    f"syncdir WALs/{SERVER}",
]
"""The new name is durable before the old one is gone."""


async def story(runtime: Runtime, calls: list[str]) -> list[list[str]]:
    """What each step called."""
    steps: list[list[str]] = []

    def end_step() -> None:
        steps.append(calls.copy())
        calls.clear()

    log = LogWriter(runtime, SERVER, "", WalConfig(), pytest.fail, pytest.fail)
    await log.start()
    end_step()
    for number in range(3):
        submit(log, number + 1, Durability.SYNC_WAL)
    await log.barrier()
    end_step()
    submit(log, 4, Durability.ASYNC_WAL)
    submit(log, 5, Durability.SKIP_WAL)
    await asyncio.sleep(0.05)
    end_step()
    log.request_roll()
    await asyncio.sleep(0.05)
    end_step()
    log.flushed("r", 4)
    await asyncio.sleep(0.05)
    end_step()
    return steps


def submit(log: LogWriter, number: int, durability: Durability) -> None:
    cells = FamilyCells(b"f", [b"key%d" % number], [b"v"])
    record = WalRecord("r", TableName("default", "t"), number, 0, (cells,))
    log.submit(record.encode(), "r", number, durability, lambda: None)


GOLDEN = [CREATE, SYNCED_APPEND, ASYNC_APPEND, ROLL, ARCHIVE]


def test_the_calls_on_the_simulated_disk() -> None:
    with Simulation(1) as simulation:
        runtime = simulation.runtime_for("main")
        calls: list[str] = []
        simulation.disk.calls = calls
        steps = simulation.run(story(runtime, calls), timeout_s=60)
    # A sync alone is an append of nothing, which writes nothing on a real file system.
    written = [[call for call in step if not call.endswith(" 0")] for step in steps]
    assert [list(map(without_length, step)) for step in written] == GOLDEN


def without_length(call: str) -> str:
    verb, _, rest = call.partition(" ")
    if verb == "write":
        return f"write {rest.rpartition(' ')[0]}"
    return f"{verb} {rest or '.'}"


class Spy:
    """Stands where posix.py has ``os`` and notes the calls that change something."""

    def __init__(self, root: Path) -> None:
        self.calls: list[str] = []
        self._root = root
        self._names: dict[int, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _name(self, path: str) -> str:
        return os.path.relpath(path, self._root)

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            self.calls.append(f"create {self._name(path)}")
        descriptor = os.open(path, flags, mode)
        self._names[descriptor] = self._name(path)
        return descriptor

    def write(self, descriptor: int, data: Any) -> int:
        self.calls.append(f"write {self._names[descriptor]}")
        return os.write(descriptor, data)

    def fdatasync(self, descriptor: int) -> None:
        self.calls.append(f"sync {self._names[descriptor]}")

    def fsync(self, descriptor: int) -> None:
        self.calls.append(f"syncdir {self._names[descriptor]}")

    def mkdir(self, path: str) -> None:
        self.calls.append(f"mkdir {self._name(path)}")
        os.mkdir(path)

    def rename(self, source: str, target: str) -> None:
        self.calls.append(f"rename {self._name(source)} {self._name(target)}")
        os.rename(source, target)


@pytest.mark.skipif(not hasattr(os, "fdatasync"), reason="the system has no fdatasync")
def test_the_calls_on_a_real_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(tmp_path)
    for module in (posix, posix_calls):
        monkeypatch.setattr(module, "os", spy)
    files = PosixFiles(str(tmp_path))
    unused: Any = None
    runtime = Runtime(SystemClock(), SystemEntropy(), files, unused, unused, unused, unused)
    steps = asyncio.run(story(runtime, spy.calls))
    files.close()
    assert steps == GOLDEN
