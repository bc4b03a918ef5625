"""Two masters that both believe they lead: what the earlier one writes to hbase:meta is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...actors import meta_rows
from ...actors.messages import OpenRequest
from ...actors.meta_region import MetaRegion
from ...actors.meta_rows import META_DESCRIPTOR, TableState
from ...actors.orders import Orders
from ...actors.region_map import RegionMap
from ...actors.region_opener import open_region
from ...errors import StaleMasterError
from ...model import META_REGION, FamilyDescriptor, TableDescriptor, TableName
from ...operations import Mutation
from ..crash.server import CONFIG, SmallServer, recover
from ..simulation import Simulation

_EARLIER: Final = 1
_LATER: Final = 2
_BOUND_S: Final = 60.0


def problems() -> Iterator[str]:
    """What a master of the earlier epoch could write after the later one had spoken.

    Tried at the server that heard the later master, at one that opened hbase:meta when the
    first had died and has heard of nobody, and after nothing but a read of the later master.
    """
    with Simulation(1, CONFIG, lines_kept=200) as simulation:
        first = _Place(simulation, "first")
        second = _Place(simulation, "second")
        found: list[str] = []

        async def at_first() -> None:
            await first.open(_EARLIER)
            await first.meta.mutate(_EARLIER, _write("before"))
            await first.meta.fence(_LATER)
            found.extend(await first.try_writing(_EARLIER, "after the fence"))
            await first.meta.mutate(_LATER, _write("later"))

        async def at_second() -> None:
            await recover(second.runtime)
            await second.open(_LATER, recovered_from=str(first.server.name))
            found.extend(await second.try_writing(_EARLIER, "where hbase:meta went"))

        simulation.run(at_first(), _BOUND_S, "first")
        simulation.end("first")
        simulation.run(at_second(), _BOUND_S, "second")
        yield from found


class _Place:
    """A server that has hbase:meta."""

    def __init__(self, simulation: Simulation, process: str) -> None:
        self.runtime = simulation.runtime_for(process)
        self.server = SmallServer(self.runtime)
        regions = RegionMap(self.runtime.clock, moved_memory_s=60.0)
        self._regions = regions
        self.meta = MetaRegion(regions, Orders())

    async def open(self, epoch: int, recovered_from: str | None = None) -> None:
        await self.server.begin()
        log = await self.server.logs.of_region(META_REGION.encoded_name)
        request = OpenRequest(META_REGION, META_DESCRIPTOR, epoch, 1, recovered_from)
        hosted = await open_region(self.server.services, log, request)
        hosted.serve()
        self._regions.add(hosted)

    async def try_writing(self, epoch: int, where: str) -> list[str]:
        try:
            await self.meta.mutate(epoch, _write("stale"))
        except StaleMasterError:
            names = {one.name for one in meta_rows.parse(await self.meta.read(b"", b"")).tables}
            return [f"{where}: refused and applied"] if _name("stale") in names else []
        return [f"{where}: a master of epoch {epoch} wrote after one of {_LATER}"]


def _name(text: str) -> TableName:
    return TableName("default", text)


def _write(table: str) -> list[Mutation]:
    descriptor = TableDescriptor(_name(table), (FamilyDescriptor(b"f"),))
    return [meta_rows.table_put(descriptor, TableState.ENABLED, 1)]
