"""The simulated disk, and that the simulated file system behaves as the real one."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from raybase.actors.posix import PosixFiles
from raybase.errors import FencedError
from raybase.runtime import FileSystem
from raybase.testing import Simulation
from raybase.testing.disk import Disk

pytestmark = pytest.mark.simulation

Story = Callable[[FileSystem], Awaitable[object]]


async def logs(files: FileSystem) -> list[object]:
    log = await files.create_log("WALs/a/1")
    out: list[object] = [await log.append(b"one"), await log.append(b"two", sync=False)]
    out.append(await files.read("WALs/a/1"))
    with pytest.raises(FileExistsError):
        await files.create_log("WALs/a/1")
    await files.fence("WALs/a")
    await files.fence("WALs/a")
    for forbidden in (log.append(b"3"), log.check(), files.create_log("WALs/a/2")):
        with pytest.raises(FencedError):
            await forbidden
    out.append(await files.list("WALs/a"))
    return out


async def a_log_moved_away_is_fenced(files: FileSystem) -> list[object]:
    log = await files.create_log("WALs/a/1")
    await log.append(b"one")
    await files.rename("WALs/a/1", "oldWALs/a/1")
    with pytest.raises(FencedError):
        await log.append(b"two")
    return [await files.list("WALs/a"), await files.list("oldWALs/a")]


async def whole_files(files: FileSystem) -> list[object]:
    out: list[object] = [await files.put_if_absent("m/1", b"first")]
    out.append(await files.put_if_absent("m/1", b"second"))
    await files.write("d/f", [b"a", memoryview(b"bc"), bytearray(b"d")])
    await files.write("d/f", [b"replaced"])
    out += [await files.read("m/1"), await files.read("d/f"), await files.read("d/f", 2, 3)]
    out += [await files.read("d/f", 6, 100), await files.size("d/f"), await files.exists("d/f")]
    out += [await files.exists("d"), await files.exists("x"), await files.list("")]
    out += [await files.list("nowhere"), await files.list("d")]
    for missing in (files.read("x"), files.read("x", 0, 5), files.size("x")):
        with pytest.raises(FileNotFoundError):
            await missing
    with pytest.raises(FileNotFoundError):
        await files.rename("x", "y")
    return out


async def removal(files: FileSystem) -> list[object]:
    for path in ("t/a/1", "t/a/2", "t/b", "u"):
        await files.write(path, [b"x"])
    await files.rename("u", "t/c/u")
    await files.remove("t/a")
    await files.remove("t/b")
    await files.remove("t/nothing")
    await files.remove("nowhere/at/all")
    with pytest.raises(ValueError):
        await files.read("../etc/passwd")
    return [await files.list(""), await files.list("t"), await files.list("t/c")]


@pytest.mark.parametrize("story", [logs, a_log_moved_away_is_fenced, whole_files, removal])
def test_the_simulated_files_answer_as_the_real_ones_do(story: Story, tmp_path: Path) -> None:
    real = PosixFiles(str(tmp_path))
    try:
        expected = asyncio.run(_awaited(story(real)))
    finally:
        real.close()
    with Simulation(1) as simulation:
        files = simulation.runtime_for("main").files
        assert simulation.run(_awaited(story(files)), 60) == expected


async def _awaited(story: Awaitable[object]) -> object:
    return await story


def images(disk: Disk) -> set[tuple[tuple[str, bytes], ...]]:
    chance = random.Random(1)
    return {
        tuple((path, bytes(node.data)) for path, node in disk.image(chance).walk())
        for _ in range(200)
    }


def test_synced_bytes_under_an_unsynced_name_may_vanish_with_it() -> None:
    disk = Disk()
    node = disk.create("f")
    disk.append("f", node, b"x")
    disk.sync("f", node)
    assert images(disk) == {(), (("f", b"x"),)}
    disk.sync_directory("")
    assert images(disk) == {(("f", b"x"),)}


def test_a_name_may_be_durable_before_its_bytes() -> None:
    disk = Disk()
    node = disk.create("f")
    disk.sync_directory("")
    disk.append("f", node, b"x")
    assert {(("f", b""),), (("f", b"x"),)} <= images(disk)


def test_an_unsynced_rename_leaves_one_name_or_both_but_never_none() -> None:
    disk = Disk()
    disk.make_directories("a")
    disk.make_directories("b")
    node = disk.create("a/f")
    disk.sync("a/f", node)
    disk.sync_directory("a")
    disk.rename("a/f", "b/f")
    names = {tuple(path for path, _ in image) for image in images(disk)}
    assert names == {("a/f",), ("b/f",), ("a/f", "b/f")}
    disk.sync_directory("b")
    names = {tuple(path for path, _ in image) for image in images(disk)}
    assert names == {("b/f",), ("a/f", "b/f")}
    disk.sync_directory("a")
    assert {tuple(path for path, _ in image) for image in images(disk)} == {("b/f",)}


def test_changes_of_a_directory_become_durable_in_any_order() -> None:
    disk = Disk()
    for name in ("a", "b"):
        disk.create(name)
    assert {tuple(path for path, _ in image) for image in images(disk)} == {
        (),
        ("a",),
        ("b",),
        ("a", "b"),
    }


def test_a_full_disk_takes_what_fits() -> None:
    disk = Disk()
    disk.free_bytes = 3
    node = disk.create("f")
    with pytest.raises(OSError, match="No space"):
        disk.append("f", node, b"12345")
    assert node.data == b"123"
    disk.unlink("f")
    assert disk.free_bytes == 3


def test_the_order_of_calls_is_on_record() -> None:
    with Simulation(1) as simulation:
        files = simulation.runtime_for("main").files
        simulation.run(files.write("warm/up", [b""]), 10)
        simulation.disk.calls = []
        simulation.run(files.put_if_absent("d/manifest", b"123"), 10)
        temporary = "d/.tmp-main-1-2"
        assert simulation.disk.calls == [
            "mkdir d",
            "syncdir ",
            f"create {temporary}",
            f"write {temporary} 3",
            f"sync {temporary}",
            "link d/manifest",
            f"unlink {temporary}",
            "syncdir d",
        ]
