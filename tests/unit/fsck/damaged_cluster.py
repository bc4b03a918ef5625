"""A small real cluster on a simulated disk, to be damaged, looked at and mended by fsck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from raybase.actors.fsck.check import Fsck
from raybase.actors.fsck.finding import Kind, Report
from raybase.actors.fsck.meta_files import read_meta_files
from raybase.actors.master import Master
from raybase.actors.meta_rows import MetaContent
from raybase.client.async_connection import AsyncConnection
from raybase.client.fsck import FsckCommand
from raybase.config import ClientConfig
from raybase.model import RegionInfo
from raybase.runtime import FileSystem
from raybase.storage.manifest import Manifest, manifest_directory
from raybase.testing.cluster import SimCluster
from raybase.testing.simulation import Simulation
from raybase.testing.story import SMALL

T = TypeVar("T")
OPERATOR = "operator"
QUIET = replace(
    SMALL,
    master=replace(SMALL.master, janitor_period_s=1e6, region_servers=2, server_wait_s=0.2),
    region_server=replace(SMALL.region_server, compaction_check_s=1e6),
)
"""The janitor and compactions leave alone what a test plants."""
SPLITS = [b"g", b"p"]
ROWS = {b"%c" % letter: b"%d" % letter for letter in b"abcdefghijklmnopqrstuvwxyz"}


class DamagedCluster:
    """Table ``t`` with three regions, each with a file; ``said`` is what fsck told the user."""

    def __init__(self) -> None:
        self.simulation = Simulation(1, QUIET)
        self.cluster = SimCluster(self.simulation, masters=1)
        self.cluster.start()
        self.connection = self.cluster.connect(OPERATOR, ClientConfig(operation_timeout_s=60.0))
        self.said: list[str] = []
        self.run(self._fill(self.connection))

    async def _fill(self, connection: AsyncConnection) -> None:
        await connection.admin.create_table("t", ["f"], splits=SPLITS)
        for row, value in ROWS.items():
            await connection.table("t").put(row, {"f:q": value})
        await connection.admin.flush("t")

    # -- the cluster -----------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.simulation.run(work, 300.0, OPERATOR)

    def stop(self) -> None:
        """kill -9 of everything; the files stay."""
        self.simulation.end_all()

    def start(self) -> None:
        self.cluster.start()

    @property
    def files(self) -> FileSystem:
        return self.simulation.runtime_for(OPERATOR).files

    @property
    def master(self) -> Master:
        found = self.simulation.actor("master-1")
        assert isinstance(found, Master)
        return found

    def on_master(self, work: Callable[[Master], Coroutine[Any, Any, T]]) -> T:
        """Runs work inside the master's process."""
        process = self.simulation.process("master-1")
        assert process is not None
        task = process.loop.create_task(work(self.master))
        self.simulation.world.scheduler.run(task.done, self.simulation.now_s + 300.0)
        return task.result()

    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def region(self, start_key: bytes) -> RegionInfo:
        async def look() -> RegionInfo:
            places = await self.connection.admin.regions("t")
            return next(one.region for one in places if one.region.start_key == start_key)

        return self.run(look())

    def rows(self) -> dict[bytes, bytes]:
        async def scan() -> dict[bytes, bytes]:
            return {one.row: one[b"f:q"] async for one in self.connection.table("t").scan()}

        return self.run(scan())

    # -- the files -------------------------------------------------------------------------

    def manifest(self, info: RegionInfo) -> Manifest:
        directory = manifest_directory(info)
        name = self.simulation.disk.list(directory)[-1]
        path = f"{directory}/{name}"
        return Manifest.decode(path, bytes(self.simulation.disk.file(path).data))

    def flip(self, path: str, offset: int = 40) -> None:
        """One bit of the file is another."""
        data = self.simulation.disk.file(path).data
        data[offset % len(data)] ^= 0x10

    def write(self, path: str, data: bytes = b"data") -> str:
        self.run(self.files.write(path, [data]))
        return path

    def exists(self, path: str) -> bool:
        return self.run(self.files.exists(path))

    # -- fsck ------------------------------------------------------------------------------

    def fsck(self, *, repair: bool = False, stopped: bool = False) -> bool:
        """The command as a user gives it; ``said`` is what it printed."""
        self.said = []
        runtime = self.simulation.runtime_for(OPERATOR)

        async def call(
            process: str, method: str, *args: Any, timeout_s: float | None = None
        ) -> Any:
            return await runtime.processes.remote(process).call(method, *args, timeout_s=timeout_s)

        reach = None if stopped else call
        command = FsckCommand(runtime.files, runtime.clock, reach, self.said.append)
        return self.run(command.run(repair=repair))

    def look(self) -> Report:
        """One look at the files of the stopped cluster."""

        async def both() -> Report:
            content: MetaContent = await read_meta_files(self.files)
            return await Fsck(self.files, content, None).run()

        return self.run(both())

    def told(self, *words: str) -> bool:
        """Whether a line that fsck printed has all the words."""
        return any(all(word in line for word in words) for line in self.said)

    def assert_named(self, kind: Kind, *words: str) -> None:
        assert self.told(str(kind), *words), self.said

    def close(self) -> None:
        self.simulation.close()
