"""The operations of one region server, each under the camera (images.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ...actors import region_closer
from ...actors.hosted_region import HostedRegion
from ...config import ClusterConfig
from ...errors import RaybaseError
from ...model import Durability
from ..disk import Disk
from ..simulation import Simulation
from ..world import NO_FAULTS, Faults
from .expected import SITES
from .images import Camera, Image
from .ledger import Ledger
from .server import CONFIG, SmallServer, Writer, compact, marker_seen, read_state, recover

_BOUND_S: Final = 3600.0
SLOW_LOG: Final = Faults(log_slow=0.5, disk_slow_s=0.05)
_PROCESS: Final = "server"
_HEIR: Final = "heir"


def _nobody_listens() -> None:
    return


class Stage:
    """A region under work on a simulated disk, and what it was told."""

    def __init__(
        self, simulation: Simulation, config: ClusterConfig, process: str = _PROCESS
    ) -> None:
        self.simulation = simulation
        self.runtime = simulation.runtime_for(process)
        self.server = SmallServer(self.runtime, config)
        self.ledger = Ledger()
        self.hosted: HostedRegion
        self.writer: Writer
        self.on_acknowledged: Callable[[], None] = _nobody_listens
        self.reads_count = True
        """Whether what a reader sees must survive: not if writes do without a sync."""

    async def begin(self) -> None:
        await self.server.begin()
        self.hosted = await self.server.open()
        self.writer = Writer(self.ledger, self.hosted, lambda: self.on_acknowledged())

    async def again(self) -> None:
        """Opens the region that this server has closed."""
        self.hosted = self.writer.hosted = await self.server.open()

    def known(self) -> tuple[int, int]:
        """Lowest and highest step that a crash now may leave as the last."""
        lowest = self.ledger.acknowledged
        if self.reads_count and not self.server.failures:
            lowest = max(lowest, marker_seen(self.hosted))
        return lowest, self.ledger.submitted


Act = Callable[[Stage], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class RegionScenario:
    """An operation of one region. ``prepare`` is not imaged; ``again`` shows, after each
    recovery, that the operation can be done again."""

    name: str
    prepare: Act
    act: Act
    again: Act
    config: ClusterConfig = CONFIG
    faults: Faults = NO_FAULTS
    """While the operation is imaged."""
    copies: int = 5
    seeds: int = 2

    @property
    def sites(self) -> tuple[str, ...]:
        return SITES.get(self.name, ())

    def shoot(self, seed: int, copies: int, *, thorough: bool = False) -> Camera:
        with Simulation(seed, self.config, lines_kept=200) as simulation:
            stage = Stage(simulation, self.config)
            camera = Camera(simulation.disk, seed, copies, stage.known, stage.ledger)

            async def story() -> None:
                await stage.begin()
                await self.prepare(stage)
                camera.start()
                simulation.set_faults(self.faults)
                await self.act(stage)
                camera.stop()

            simulation.run(story(), _BOUND_S, _PROCESS)
            if stage.server.failures or simulation.errors:
                raise AssertionError(f"{self.name}: {stage.server.failures} {simulation.errors}")
            return camera

    def reopen(self, image: Image, seed: int) -> list[str]:
        return reopened(image.disk, image.told, (image.lowest, image.highest), seed, self)


def reopened(
    disk: Disk, told: Ledger, possible: tuple[int, int], seed: int, scenario: RegionScenario
) -> list[str]:
    """Recovers, compares, repeats what has nonces, does the operation again, compares again."""
    with Simulation(seed, scenario.config, lines_kept=200) as simulation:
        simulation.disk = disk
        stage = Stage(simulation, scenario.config, _HEIR)
        problems: list[str] = []
        try:
            simulation.run(_reopened(stage, told, possible, scenario, problems), _BOUND_S, _HEIR)
        except (RaybaseError, OSError, AssertionError, TimeoutError) as error:
            problems.append(f"it ended with {error!r}")
        problems += [f"the server failed: {one!r}" for one in stage.server.failures]
        problems += simulation.errors
        return problems


async def _reopened(
    stage: Stage,
    told: Ledger,
    possible: tuple[int, int],
    scenario: RegionScenario,
    problems: list[str],
) -> None:
    await recover(stage.runtime)
    await stage.begin()
    found, wrong = told.left(await read_state(stage.hosted), *possible)
    if wrong:
        problems.append(f"after recovery: {wrong}")
        return
    state = told.state_after(found)
    for made in told.steps[: possible[1] - told.base]:
        if made.is_atomic:
            await stage.writer.retry(made)
            state = made.after(state) if made.number > found else state
    stage.ledger = stage.writer.ledger = Ledger(state, possible[1])
    await scenario.again(stage)
    await stage.writer.write()
    ledger = stage.ledger
    _, wrong = ledger.left(await read_state(stage.hosted), ledger.submitted, ledger.submitted)
    if wrong:
        problems.append(f"after doing it again: {wrong}")
    problems += await stage.server.problems()


# -- the operations ------------------------------------------------------------------------


async def nothing(stage: Stage) -> None:
    return


async def write_some(stage: Stage) -> None:
    """Groups of one, two and five writes, of which some arrive while others are synced."""
    pending = []
    for count in (1, 2, 5, 1, 3):
        pending += [await stage.writer.submit() for _ in range(count)]
        await stage.runtime.clock.sleep(0.0005 * count)
    await asyncio.gather(*pending)


async def write_lazily(stage: Stage) -> None:
    """As ``write_some``, most of it acknowledged before the sync."""
    stage.reads_count = False
    pending = []
    for count in (3, 2, 1, 3):
        pending += [await stage.writer.submit(Durability.ASYNC_WAL) for _ in range(count)]
        await stage.runtime.clock.sleep(0.002)
        pending.append(await stage.writer.submit())
        await stage.runtime.clock.sleep(0.001)
    await asyncio.gather(*pending)
    await stage.runtime.clock.sleep(2.0)


async def roll(stage: Stage) -> None:
    """Twice into a new file, with writes before, during and after."""
    for _ in range(2):
        pending = [await stage.writer.submit() for _ in range(3)]
        stage.hosted.log.request_roll()
        await stage.runtime.clock.sleep(0.0004)
        pending += [await stage.writer.submit() for _ in range(2)]
        await asyncio.gather(*pending)


async def flush(stage: Stage) -> None:
    """With writes going on beside it."""
    pending = [await stage.writer.submit() for _ in range(3)]
    flushing = asyncio.ensure_future(stage.hosted.flush())
    while not flushing.done():
        pending.append(await stage.writer.submit())
        await stage.runtime.clock.sleep(0.0007)
    await asyncio.gather(flushing, *pending)


async def write_files(stage: Stage, count: int = 3) -> None:
    """A store file that minor compactions leave alone, and smaller ones that delete from it."""
    await stage.writer.write(40)
    await stage.hosted.flush()
    for _ in range(count):
        await stage.writer.write(9)
        await stage.hosted.flush()


async def compact_all(stage: Stage) -> None:
    """A minor compaction and a major one, with writes beside them."""
    for major in (False, True):
        pending = []
        compacting = asyncio.ensure_future(compact(stage.hosted, major=major))
        while not compacting.done():
            pending.append(await stage.writer.submit())
            await stage.runtime.clock.sleep(0.004)
        assert await compacting, "there was nothing to compact"
        await asyncio.gather(*pending)


async def many_versions(stage: Stage) -> None:
    """So many manifests that the next flushes prune the oldest."""
    await stage.writer.write(12)
    while stage.hosted.manifest.version < 30:
        manifest = stage.hosted.region.next_manifest()
        await stage.hosted.commit(manifest)
        stage.hosted.region.manifest = manifest


async def commit_manifests(stage: Stage) -> None:
    for _ in range(3):
        await stage.writer.write()
        await stage.hosted.flush()


async def archive_logs(stage: Stage) -> None:
    """Files of the log go to the archive when a flush has made them superfluous."""
    await stage.writer.write(4)
    stage.hosted.log.request_roll()
    await stage.writer.write(4)
    stage.hosted.log.request_roll()
    pending = [await stage.writer.submit() for _ in range(2)]
    await stage.hosted.flush()
    await asyncio.gather(*pending)
    await stage.writer.write(2)
    stage.hosted.log.request_roll()
    await stage.writer.write(1)
    stage.hosted.log.request_roll()
    await stage.runtime.clock.sleep(0.5)


async def close_and_open(stage: Stage) -> None:
    await stage.writer.write(3)
    await region_closer.close(stage.hosted, 1)
    await stage.again()
    await stage.writer.write(2)


async def recover_and_flush(stage: Stage) -> None:
    """A server dies with two files of its log; the next one recovers it, serves and flushes."""
    told, possible = stage.ledger, stage.known()
    await recover(stage.runtime)
    stage.server = SmallServer(stage.runtime, stage.server.config)
    await stage.server.begin()
    await stage.again()
    found, wrong = told.left(await read_state(stage.hosted), *possible)
    assert found == told.submitted, wrong
    await stage.writer.write(2)
    await stage.hosted.flush()


async def two_logs(stage: Stage) -> None:
    await write_files(stage, 1)
    await stage.writer.write(6)
    stage.hosted.log.request_roll()
    await stage.writer.write(6)


REGION_SCENARIOS: Final = (
    RegionScenario("append", nothing, write_some, write_some),
    RegionScenario("append, ASYNC_WAL", nothing, write_lazily, write_some),
    RegionScenario("roll", write_some, roll, roll),
    RegionScenario("flush", write_some, flush, flush),
    RegionScenario("flush, slow log", write_some, flush, flush, faults=SLOW_LOG),
    RegionScenario("compaction", write_files, compact_all, flush),
    RegionScenario("manifest commit", many_versions, commit_manifests, commit_manifests),
    RegionScenario("WAL archive", write_some, archive_logs, archive_logs),
    RegionScenario("close, open", flush, close_and_open, close_and_open),
    RegionScenario("recovery", two_logs, recover_and_flush, flush),
)
