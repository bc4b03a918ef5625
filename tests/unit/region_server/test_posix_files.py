"""The root on a real file system: durability calls, fencing, conditional puts."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from raybase.actors import posix
from raybase.actors.posix import FENCED, PosixFiles
from raybase.errors import DiskFullError, FencedError, SyncFailedError


@pytest.fixture
def files(tmp_path: Path):
    made = PosixFiles(str(tmp_path))
    yield made
    made.close()


def test_an_append_returns_the_length_and_is_read_back(files: PosixFiles) -> None:
    async def story() -> None:
        log = await files.create_log("WALs/a/1")
        assert await log.append(b"one") == 3
        assert await log.append(memoryview(b"two"), sync=False) == 6
        assert await files.read("WALs/a/1") == b"onetwo"
        assert files.counters.by_path["WALs/a/1"].syncs == 1
        await log.close()

    asyncio.run(story())


def test_an_append_after_the_fence_is_refused_but_the_bytes_may_be_there(files: PosixFiles) -> None:
    async def story() -> None:
        log = await files.create_log("WALs/a/1")
        await log.append(b"kept")
        await files.fence("WALs/a")
        await files.fence("WALs/a")
        with pytest.raises(FencedError):
            await log.append(b"lost")
        with pytest.raises(FencedError):
            await log.check()
        with pytest.raises(FencedError):
            await files.create_log("WALs/a/2")
        assert (await files.read("WALs/a/1")).startswith(b"kept")
        await log.close()

    asyncio.run(story())


def test_a_directory_can_be_fenced_before_its_first_log(files: PosixFiles) -> None:
    async def story() -> None:
        await files.fence("WALs/new")
        with pytest.raises(FencedError):
            await files.create_log("WALs/new/1")

    asyncio.run(story())


def test_a_log_that_recovery_moved_away_is_fenced_even_without_the_mark(files: PosixFiles) -> None:
    async def story() -> None:
        log = await files.create_log("WALs/a/1")
        await files.fence("WALs/a")
        await files.rename("WALs/a/1", "oldWALs/a.1")
        await files.remove("WALs/a")
        with pytest.raises(FencedError):
            await log.check()
        await files.create_log("WALs/a/2")
        with pytest.raises(FencedError):
            await log.append(b"x")
        await log.close()

    asyncio.run(story())


def test_a_log_is_created_once(files: PosixFiles) -> None:
    async def story() -> None:
        log = await files.create_log("WALs/a/1")
        with pytest.raises(FileExistsError):
            await files.create_log("WALs/a/1")
        await log.close()

    asyncio.run(story())


def test_a_failed_sync_is_never_tried_again(
    files: PosixFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        log = await files.create_log("WALs/a/1")

        def fail(descriptor: int) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fail)
            with pytest.raises(SyncFailedError):
                await log.append(b"x")
        with pytest.raises(SyncFailedError):
            await log.append(b"y")
        await log.close()

    asyncio.run(story())


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_only_the_first_put_if_absent_wins(files: PosixFiles, size: int) -> None:
    async def story() -> None:
        results = await asyncio.gather(
            *(files.put_if_absent("data/m/1", bytes([n]) * size) for n in range(5))
        )
        assert results.count(True) == 1
        assert await files.read("data/m/1") == bytes([results.index(True)]) * size
        assert await files.list("data/m") == ["1"]

    asyncio.run(story())


def test_a_write_replaces_what_an_earlier_try_left(files: PosixFiles) -> None:
    async def story() -> None:
        await files.write("data/t/f", [b"x" * 100])
        parts = [b"ab", bytearray(b"cd"), memoryview(b"ef")] * 700
        await files.write("data/t/f", parts)
        assert await files.read("data/t/f") == b"abcdef" * 700
        assert await files.read("data/t/f", 2, 3) == b"cde"
        assert await files.read("data/t/f", 4199, 100) == b"f"
        assert await files.read("data/t/f", 4190) == b"cdefabcdef"
        assert await files.size("data/t/f") == 4200

    asyncio.run(story())


def test_a_stream_becomes_a_file_as_a_whole_or_not_at_all(files: PosixFiles) -> None:
    async def parts(*, breaks: bool = False) -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number * 1000
            assert await files.list("data/t") == [], "it has its name only when it is whole"
        if breaks:
            raise ValueError("no more")

    async def story() -> None:
        with pytest.raises(ValueError, match="no more"):
            await files.write_stream("data/t/f", parts(breaks=True))
        assert os.listdir(f"{files.root}/data/t") == []
        await files.write_stream("data/t/f", parts())
        assert await files.read("data/t/f") == b"".join(b"%d" % n * 1000 for n in range(5))
        assert os.listdir(f"{files.root}/data/t") == ["f"]

    asyncio.run(story())


def test_a_missing_file_is_file_not_found(files: PosixFiles) -> None:
    async def story() -> None:
        for attempt in (
            files.read("no/such"),
            files.read("no/such", 0, 10),
            files.size("no/such"),
            files.rename("no/such", "a/b"),
        ):
            with pytest.raises(FileNotFoundError):
                await attempt
        assert not await files.exists("no/such")
        assert await files.list("no") == []
        await files.remove("no/such")

    asyncio.run(story())


def test_a_directory_removed_by_another_process_is_made_again(
    files: PosixFiles, tmp_path: Path
) -> None:
    async def story() -> None:
        await files.write("data/t/r/f", [b"1"])
        other = PosixFiles(str(tmp_path))
        await other.remove("data/t")
        other.close()
        await files.write("data/t/r/f", [b"2"])
        assert await files.read("data/t/r/f") == b"2"

    asyncio.run(story())


def test_a_new_file_is_synced_before_its_name_and_its_name_before_the_return(
    files: PosixFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name in ("fsync", "link", "replace", "unlink"):
        real = getattr(os, name)

        def recorded(*args, _real=real, _name=name, **options):  # type: ignore[no-untyped-def]
            order.append(_name)
            return _real(*args, **options)

        monkeypatch.setattr(os, name, recorded)

    async def story() -> None:
        await files.put_if_absent("m", b"1")
        assert order == ["fsync", "link", "unlink", "fsync"]
        order.clear()
        await files.write("f", [b"1"])
        assert order == ["fsync", "replace", "fsync"]

    asyncio.run(story())


def test_a_lock_is_held_by_one_process_at_a_time(files: PosixFiles, tmp_path: Path) -> None:
    async def story() -> None:
        other = PosixFiles(str(tmp_path))
        assert await files.try_lock("lock")
        assert await files.try_lock("lock")
        assert not await other.try_lock("lock")
        files.close()
        assert await other.try_lock("lock")
        other.close()

    asyncio.run(story())


def test_paths_cannot_leave_the_root(files: PosixFiles) -> None:
    async def story() -> None:
        for path in ("/etc/passwd", "../x", "data/../../x"):
            with pytest.raises(ValueError, match="below the root"):
                await files.read(path)

    asyncio.run(story())


def test_the_mark_of_a_fence_is_a_file(files: PosixFiles, tmp_path: Path) -> None:
    asyncio.run(files.fence("WALs/a"))
    assert (tmp_path / "WALs" / "a" / FENCED).exists()


def test_a_log_without_room_keeps_what_it_could_not_write(
    files: PosixFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        log = await files.create_log("WALs/s/1")
        real, calls = os.write, [0]

        def write(descriptor: int, data: bytes) -> int:
            calls[0] += 1
            if calls[0] == 1:
                return real(descriptor, bytes(data)[:2])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "write", write)
        with pytest.raises(DiskFullError):
            await log.append(b"12345")
        with pytest.raises(DiskFullError):
            await log.append(b"")
        monkeypatch.setattr(os, "write", real)
        assert await log.append(b"67") == 7
        assert await files.read("WALs/s/1") == b"1234567"

    asyncio.run(story())


def test_what_was_never_finished_is_removed_by_the_owner_alone(
    files: PosixFiles, tmp_path: Path
) -> None:
    async def story() -> None:
        await files.write("d/file", [b"data"])
        (tmp_path / "d" / ".tmp-1").write_bytes(b"half")
        (tmp_path / "d" / ".tmp-2").write_bytes(b"")
        assert await files.list("d") == ["file"]
        assert await files.remove_unfinished("d") == 2
        assert await files.remove_unfinished("d") == 0
        assert await files.remove_unfinished("nowhere") == 0
        assert sorted(os.listdir(tmp_path / "d")) == ["file"]

    asyncio.run(story())


def test_a_stream_whose_file_another_owner_removed_fails(files: PosixFiles, tmp_path: Path) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        assert await files.remove_unfinished("d") == 1
        yield b"two"

    async def story() -> None:
        with pytest.raises(FileNotFoundError):
            await files.write_stream("d/file", parts())
        assert os.listdir(tmp_path / "d") == []

    asyncio.run(story())


def test_a_directory_with_something_in_it_is_not_synced_into_its_parent_again(
    files: PosixFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever put it there had done so before; a directory that is empty may be half made."""
    synced: list[str] = []

    def note(directory: str) -> None:
        synced.append(os.path.relpath(directory, tmp_path))

    async def story() -> None:
        await files.write("a/full/file", [b"data"])
        (tmp_path / "a" / "empty").mkdir()
        other = PosixFiles(str(tmp_path))
        monkeypatch.setattr(posix, "sync_directory", note)
        await other.put_if_absent("a/full/new", b"data")
        assert synced == ["a/full"]
        synced.clear()
        await other.put_if_absent("a/empty/new", b"data")
        assert synced == ["a", "a/empty"]
        other.close()

    asyncio.run(story())
