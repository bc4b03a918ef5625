"""The coordinator's files: taking over, fencing, snapshots, and a power loss at every call."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from raybase.actors.coordinator_files import CoordinatorFiles, claim_path, log_path, snapshot_path
from raybase.config import ClusterConfig, CoordinatorConfig
from raybase.coordination.codec import encode
from raybase.coordination.log_format import decode_log, snapshot_parts
from raybase.coordination.records import OpenSession, Request
from raybase.coordination.requests import Create, GetChildren, GetData, SetData
from raybase.coordination.state import CoordinatorState
from raybase.errors import (
    CorruptionError,
    FencedError,
    ProcessUnavailableError,
    ServerNotRunningError,
)
from raybase.runtime import FileSystem
from raybase.testing import Faults, Simulation
from raybase.testing.disk import Disk

from .holders import COORDINATOR, Holder, begin, tell

SMALL = ClusterConfig(coordinator=CoordinatorConfig(snapshot_log_bytes=600))


def begin_state() -> CoordinatorState:
    return CoordinatorState.new("the-cluster", 0)


class Life:
    """One process's files and state, without the process around them."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.runtime = simulation.runtime_for(name)
        self.name = name
        self.files: CoordinatorFiles
        self.state: CoordinatorState

    async def start(self) -> None:
        self.files, self.state = await CoordinatorFiles.take_over(
            self.runtime.files, self.name, begin_state
        )

    async def log(self, *operations: Any) -> None:
        records = []
        for operation in operations:
            zxid = self.state.zxid + 1
            record: Any
            if operation is None:
                record = OpenSession(zxid, 0, zxid, "h", 1000)
            else:
                session = next(reversed(self.state.sessions.values()))
                xid = session.last_xid + 1
                record = Request(zxid, 0, session.session_id, xid, xid, 0, operation)
            self.state.apply(record)
            records.append(encode(record))
        await self.files.append(records)

    async def roll(self) -> None:
        await (await self.files.roll(self.state)).write(self.runtime.clock)

    @property
    def image(self) -> bytes:
        return b"".join(snapshot_parts(self.state))


def run(story: Callable[[Simulation], Any], seed: int = 1, faults: Faults | None = None) -> None:
    with Simulation(seed, faults=faults or Faults()) as simulation:
        simulation.run(story(simulation), timeout_s=60)
        assert simulation.errors == []


def names(simulation: Simulation) -> list[str]:
    return [path for path, _ in simulation.disk.walk("coordinator")]


def test_the_first_life_begins_with_the_base_znodes() -> None:
    async def story(simulation: Simulation) -> None:
        life = Life(simulation, "main")
        await life.start()
        assert life.files.life == 1
        assert life.state.tree.read(GetData("/hbase/hbaseid"))[0] == b"the-cluster"
        await life.files.check()

    run(story)


def test_a_later_life_has_the_state_and_the_earlier_one_is_fenced() -> None:
    async def story(simulation: Simulation) -> None:
        first, second = Life(simulation, "main"), Life(simulation, "main")
        await first.start()
        await first.log(None, Create("/a", b"1"))
        await second.start()
        assert second.files.life == 2
        assert second.image == first.image
        for refused in (first.log(SetData("/a", b"2")), first.files.check(), first.roll()):
            with pytest.raises(FencedError):
                await refused
        third = Life(simulation, "main")
        await third.start()
        assert third.image == second.image
        assert names(simulation) == [
            "coordinator/0000000002/FENCED",
            "coordinator/0000000002/claim",
            claim_path(3),
            log_path(3, 0),
            snapshot_path(3, 0),
        ]

    run(story)


def test_fifty_lives_leave_no_more_than_three() -> None:
    async def story(simulation: Simulation) -> None:
        left = {}
        for number in range(1, 51):
            life = Life(simulation, "main")
            await life.start()
            await life.log(None, Create(f"/{number}"))
            left[number] = len(names(simulation))
        assert max(left.values()) == left[3]
        assert simulation.disk.list("coordinator") == ["0000000049", "0000000050"]
        last = Life(simulation, "main")
        await last.start()
        assert last.image == life.image

    run(story)


class Drowsy:
    """A file system whose user falls asleep before its n-th call; ``meanwhile`` happens then."""

    def __init__(
        self, files: FileSystem, number: int, meanwhile: Callable[[], Awaitable[None]]
    ) -> None:
        self._files = files
        self._meanwhile = meanwhile
        self._left = number

    @property
    def slept(self) -> bool:
        return self._left < 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._files, name)

        async def call(*args: Any) -> Any:
            if self._left == 0:
                self._left = -1
                await self._meanwhile()
            elif self._left > 0:
                self._left -= 1
            return await method(*args)

        return call


class Successors:
    """Lives that begin while another sleeps, each with a change of its own."""

    def __init__(self, simulation: Simulation, count: int) -> None:
        self._simulation = simulation
        self._count = count
        self.last: Life

    async def begin(self) -> None:
        for number in range(self._count):
            self.last = Life(self._simulation, "main")
            await self.last.start()
            await self.last.log(Create(f"/successor-{number}"))


CALLS_OF_A_TAKE_OVER = 18


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("number", range(CALLS_OF_A_TAKE_OVER + 1))
def test_who_sleeps_at_any_call_of_its_take_over_serves_nothing_old(
    number: int, count: int
) -> None:
    """However many begin meanwhile, and remove what was of its number: it serves their state
    as one that comes after them, or not at all."""

    async def story(simulation: Simulation) -> None:
        for _ in range(3):
            first = Life(simulation, "main")
            await first.start()
            await first.log(None)
        others = Successors(simulation, count)
        drowsy = Life(simulation, "main")
        files = Drowsy(drowsy.runtime.files, number, others.begin)
        drowsy.runtime = replace(drowsy.runtime, files=cast("FileSystem", files))
        served = True
        try:
            await drowsy.start()
            await drowsy.log(Create("/late"))
        except FencedError:
            served = False
        assert files.slept == (number < CALLS_OF_A_TAKE_OVER)
        if files.slept:
            await tried(others.last.log(Create("/on-time")), refused=served)
        last = Life(simulation, "main")
        await last.start()
        expected = {f"successor-{n}" for n in range(count)} if files.slept else set()
        expected |= {"late"} if served else {"on-time"}
        assert set(last.state.tree.read(GetChildren("/"))) == expected | {"hbase"}

    run(story)


async def tried(work: Awaitable[None], *, refused: bool) -> None:
    with pytest.raises(FencedError) if refused else nullcontext():
        await work


CALLS_OF_A_ROLL = 2


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("number", range(CALLS_OF_A_ROLL))
def test_who_sleeps_while_it_rolls_its_log_acknowledges_nothing_more(
    number: int, count: int
) -> None:
    async def story(simulation: Simulation) -> None:
        drowsy = Life(simulation, "main")
        await drowsy.start()
        await drowsy.log(None)
        others = Successors(simulation, count)
        files = Drowsy(drowsy.runtime.files, number, others.begin)
        drowsy.files._files = cast("FileSystem", files)
        with suppress(FencedError):
            await drowsy.roll()
        with pytest.raises(FencedError):
            await drowsy.log(Create("/late"))
        assert files.slept
        await others.last.log(Create("/on-time"))

    run(story)


def test_a_snapshot_replaces_the_log_before_it() -> None:
    async def story(simulation: Simulation) -> None:
        first, second = Life(simulation, "main"), Life(simulation, "main")
        await first.start()
        await first.log(None, *(Create(f"/n{number}") for number in range(600)))
        await first.roll()
        assert names(simulation) == [claim_path(1), log_path(1, 1), snapshot_path(1, 1)]
        await first.log(Create("/after"))
        await second.start()
        assert second.image == first.image

    run(story)


def test_a_life_that_died_before_its_snapshot_loses_nothing() -> None:
    async def story(simulation: Simulation) -> None:
        first, second = Life(simulation, "main"), Life(simulation, "main")
        await first.start()
        await first.log(None, Create("/a"))
        await first.files.roll(first.state)
        await first.log(Create("/b"))
        await second.start()
        assert second.image == first.image

    run(story)


@pytest.mark.parametrize("seed", range(30))
def test_of_many_that_take_over_at_once_one_serves_and_nothing_acknowledged_is_lost(
    seed: int,
) -> None:
    acknowledged: list[str] = []

    async def serve(simulation: Simulation, name: str) -> None:
        life = Life(simulation, name)
        try:
            for round_ in range(3):
                await life.start()
                await life.log(None)
                for number in range(5):
                    path = f"/{name}-{round_}-{number}"
                    await life.log(Create(path))
                    acknowledged.append(path)
        except FencedError:
            return

    async def story(simulation: Simulation) -> None:
        tasks = [simulation.start(name, serve(simulation, name)) for name in ("a", "b", "c")]
        clock = simulation.runtime_for("main").clock
        while not all(task.done() for task in tasks):
            await clock.sleep(0.01)
        for task in tasks:
            task.result()
        last = Life(simulation, "main")
        await last.start()
        for path in acknowledged:
            last.state.tree.read(GetData(path))

    run(story, seed, Faults(disk_slow=0.2, disk_slow_s=0.05))


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (lambda disk: flip(disk, snapshot_path(1, 0), 30), snapshot_path(1, 0)),
        (lambda disk: flip(disk, log_path(1, 0), 40), log_path(1, 0)),
        (lambda disk: flip(disk, log_path(1, 0), 3), log_path(1, 0)),
        (lambda disk: disk.unlink(snapshot_path(1, 0)), "coordinator/0000000001"),
        (lambda disk: disk.unlink(log_path(1, 0)), log_path(1, 0)),
        (lambda disk: flip(disk, claim_path(2), 0), claim_path(2)),
    ],
)
def test_damage_below_what_was_acknowledged_is_corruption(damage: Any, where: str) -> None:
    async def story(simulation: Simulation) -> None:
        life = Life(simulation, "main")
        await life.start()
        for number in range(5):
            await life.log(None, Create(f"/{number}"))
        # A second life was claimed, and died before it had anything.
        await simulation.runtime_for("main").files.put_if_absent(claim_path(2), b"1 main\n")
        before = {path: bytes(node.data) for path, node in simulation.disk.walk()}
        damage(simulation.disk)
        again = Life(simulation, "main")
        with pytest.raises(CorruptionError) as raised:
            await again.start()
        assert raised.value.path == where
        after = {path: bytes(node.data) for path, node in simulation.disk.walk()}
        assert {path: after[path] for path in before if path in after and path != where} == {
            path: before[path] for path in before if path in after and path != where
        }

    run(story)


def flip(disk: Disk, path: str, at: int) -> None:
    disk.file(path).data[at] ^= 0x21


def test_a_log_that_lacks_its_last_records_is_noticed_by_its_successor() -> None:
    async def story(simulation: Simulation) -> None:
        life = Life(simulation, "main")
        await life.start()
        await life.log(None, Create("/a"))
        length = life.files.log_bytes
        await life.log(Create("/b"))
        await life.files.roll(life.state)
        del simulation.disk.file(log_path(1, 0)).data[length:]
        with pytest.raises(CorruptionError):
            await Life(simulation, "main").start()

    run(story)


def test_rubbish_in_a_log_that_has_a_successor_is_corruption() -> None:
    async def story(simulation: Simulation) -> None:
        life = Life(simulation, "main")
        await life.start()
        await life.log(None)
        await life.files.roll(life.state)
        simulation.disk.file(log_path(1, 0)).data += b"rubbish"
        with pytest.raises(CorruptionError):
            await Life(simulation, "main").start()

    run(story)


def test_a_life_that_is_fenced_while_it_begins_removes_nothing() -> None:
    async def story(simulation: Simulation) -> None:
        first = Life(simulation, "main")
        await first.start()
        await first.log(None, Create("/a"))
        before = names(simulation)
        files = simulation.runtime_for("main").files
        fenced: list[str] = []

        def fence(call: str) -> None:
            # A successor that begins now sees the second life without a snapshot.
            if call.startswith("link coordinator/0000000002/snapshot") and not fenced:
                fenced.append(call)
                simulation.disk.create("coordinator/0000000002/FENCED")

        simulation.disk.on_call = fence
        with pytest.raises(FencedError):
            await CoordinatorFiles.take_over(files, "second", begin_state)
        assert fenced
        assert set(before) <= set(names(simulation))
        third = Life(simulation, "main")
        await third.start()
        assert third.image == first.image

    run(story)


# The process.


def test_a_fenced_coordinator_shows_nothing_more_and_ends_itself() -> None:
    async def story(main: Holder) -> None:
        simulation = simulations[-1]
        await main.session.create("/a", b"1")
        coordinator = simulation.actor(COORDINATOR)
        remote = main.runtime.processes.remote(COORDINATOR)
        await main.runtime.files.fence("coordinator/0000000001")
        for call in (remote.call("registry"), remote.call("dump")):
            with pytest.raises((ServerNotRunningError, ProcessUnavailableError)):
                await call
        await asyncio.sleep(1.0)
        assert simulation.actor(COORDINATOR) is not coordinator
        assert simulation.counts["exits"] == 1
        # Begun again, it has fenced its own former life, too, and goes on.
        assert (await main.session.get("/a"))[0] == b"1"

    simulations: list[Simulation] = []
    with Simulation(1) as simulation:
        simulations.append(simulation)
        begin(simulation)
        tell(simulation, 30, main=story)
        assert simulation.errors == []


def test_an_idle_coordinator_notices_that_it_is_fenced() -> None:
    async def story(main: Holder) -> None:
        await main.runtime.files.fence("coordinator/0000000001")
        await asyncio.sleep(1.0)
        assert simulations[-1].counts["exits"] == 1

    simulations: list[Simulation] = []
    with Simulation(1) as simulation:
        simulations.append(simulation)
        begin(simulation)
        tell(simulation, 30, main=story)


@pytest.mark.parametrize("seed", range(5))
def test_a_coordinator_whose_disk_fails_begins_again_without_a_loss(seed: int) -> None:
    async def story(main: Holder) -> None:
        await main.session.create("/n")
        for number in range(60):
            stat = await main.session.set("/n", b"%d" % number, version=number)
            assert stat.version == number + 1

    with Simulation(seed, SMALL, faults=Faults(sync_failed=0.15, write_failed=0.1)) as simulation:
        begin(simulation)
        tell(simulation, 300, main=story)
        assert simulation.counts["syncs failed"] + simulation.counts["writes failed"] > 0
        assert simulation.counts["exits"] > 0


def test_a_coordinator_at_rest_proves_its_last_batch_once() -> None:
    async def story(main: Holder) -> None:
        await main.session.create("/a")
        await asyncio.sleep(2.0)
        path = log_path(1, 0)
        whole = bytes(main_disk[0].file(path).data)
        await asyncio.sleep(5.0)
        assert main_disk[0].file(path).data == whole
        log = decode_log(path, whole)
        assert log.length == len(whole)
        at = whole.rindex(b"/a")
        with pytest.raises(CorruptionError):
            decode_log(path, whole[:at] + b"\x00" + whole[at + 1 :])

    main_disk: list[Disk] = []
    with Simulation(1) as simulation:
        main_disk.append(simulation.disk)
        begin(simulation)
        tell(simulation, 30, main=story)
        assert simulation.errors == []


def test_requests_that_wait_for_the_log_share_the_next_sync() -> None:
    async def story(main: Holder) -> None:
        simulations[-1].world.trace.lines.clear()
        await asyncio.gather(*(main.session.create(f"/n{number}") for number in range(100)))
        appends = [line for line in simulations[-1].trace if "append coordinator" in line]
        assert 0 < len(appends) < 20

    simulations: list[Simulation] = []
    with Simulation(1, lines_kept=None) as simulation:
        simulations.append(simulation)
        begin(simulation)
        tell(simulation, 30, main=story)


@dataclass(frozen=True)
class Image:
    """What could be left after the power went off before a call, and what was promised."""

    call: str
    disk: Disk
    acknowledged: int
    asked: int


def take_images(seed: int) -> list[Image]:
    """Of a story with requests, snapshots and a coordinator that dies and begins again."""
    images: list[Image] = []
    chance = random.Random(seed)
    numbers = {"asked": 0, "acknowledged": 0}

    async def story(main: Holder) -> None:
        await main.session.create("/n", b"0")
        await main.session.create("/e", b"0", ephemeral=True)
        for number in range(1, 40):
            numbers["asked"] = number
            await main.session.set("/n", b"%d" % number)
            numbers["acknowledged"] = number
            if number == 20:
                simulation.kill(COORDINATOR)

    def on_call(call: str) -> None:
        if "coordinator" in call:
            for _ in range(3):
                image = simulation.disk.image(chance)
                images.append(Image(call, image, numbers["acknowledged"], numbers["asked"]))

    with Simulation(seed, SMALL) as simulation:
        simulation.disk.on_call = on_call
        begin(simulation)
        tell(simulation, 60, main=story)
        assert simulation.errors == []
    return images


async def recover(files: FileSystem) -> int:
    """The number the state holds; -1 if there was no acknowledged znode yet."""
    _, state = await CoordinatorFiles.take_over(files, "recoverer", begin_state)
    state.tree.check_invariants()
    paths = dict(state.tree)
    return int(paths["/n"].data) if "/n" in paths else -1


@pytest.mark.parametrize("seed", range(3))
def test_after_a_power_loss_at_any_call_the_state_is_what_was_acknowledged_or_asked(
    seed: int,
) -> None:
    images = take_images(seed)
    kinds = {image.call.split()[0] for image in images}
    assert {"mkdir", "create", "write", "sync", "syncdir", "link", "unlink"} <= kinds
    assert len(images) > 300
    for number, image in enumerate(images):
        with Simulation(number) as simulation:
            simulation.disk = image.disk
            files = simulation.runtime_for("main").files
            found = simulation.run(recover(files), timeout_s=10)
            least = image.acknowledged or -1
            assert least <= found <= image.asked, (image.call, found, least)
            again = simulation.run(recover(files), timeout_s=10)
            assert again == found


def test_a_recovery_cut_short_at_any_call_can_be_done_again() -> None:
    source = take_images(7)[-1]
    chance = random.Random(7)
    images: list[Disk] = []
    with Simulation(1) as simulation:
        simulation.disk = source.disk
        simulation.disk.on_call = lambda _: images.append(simulation.disk.image(chance))
        expected = simulation.run(recover(simulation.runtime_for("main").files), timeout_s=10)
    assert len(images) > 20
    for image in images:
        with Simulation(2) as simulation:
            simulation.disk = image
            files = simulation.runtime_for("main").files
            assert simulation.run(recover(files), timeout_s=10) == expected
