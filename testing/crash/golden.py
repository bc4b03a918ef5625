"""The order of creates, writes, syncs and commits of every operation, against golden lists.

``golden_lists/<operation>.txt`` has one call a line, and behind ``#`` why it stands there. An
acknowledgement is a line, too. Names that differ from run to run are put in capitals.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from unittest import mock

from ...actors import posix, region_closer
from ...actors.messages import SplitRequest
from ...actors.region_splitter import split_off
from ...model import RegionInfo
from ..simulation import Simulation
from .scenarios import Stage, recover_and_flush
from .server import CONFIG, REGION, TABLE, compact

_LISTS: Final = Path(__file__).parent / "golden_lists"
_BOUND_S: Final = 3600.0
_PROCESS: Final = "server"
_POSIX: Final = "posix"
_NAMES: Final = (
    (re.compile(r"host,\d+,\d+"), "SERVER"),
    (re.compile(r"\.tmp-[\w-]+"), "TEMPORARY"),
    (re.compile(r"/[fg]/[0-9a-f]{32}"), "/FAMILY/FILE"),
    (re.compile(r"/[fg]\b"), "/FAMILY"),
    (re.compile(r"(?<=/nonces/)[0-9a-f]{32}"), "FILE"),
    (re.compile(r"(?<!archive/)data/default/t/[0-9a-f]{32}"), "REGION"),
    (re.compile(r"(?<=default/t/)[0-9a-f]{32}"), "REGION"),
    (re.compile(r"^syncdir $"), "syncdir ROOT"),
    (re.compile(r"(?<=/manifest/)\d{20}"), "VERSION"),
    (re.compile(r"(?<=recovered.edits/)\d{19}"), "SEQUENCE_ID"),
)

Act = Callable[[Stage], Awaitable[Any]]


def golden_of(operation: str) -> list[str]:
    """The calls that must be made, in order."""
    lines = (_LISTS / f"{operation}.txt").read_text().splitlines()
    return [call for line in lines if (call := line.partition("#")[0].strip())]


def calls_of(operation: str) -> list[str]:
    """The calls that are made, in order."""
    return _posix_calls() if operation == _POSIX else _simulated_calls(LISTS[operation])


def differences(operation: str) -> Iterator[str]:
    """How the calls differ from the golden list: lines of a diff."""
    expected, found = golden_of(operation), calls_of(operation)
    yield from difflib.unified_diff(expected, found, "golden", "now", lineterm="", n=1)


def main(arguments: Sequence[str]) -> int:
    """``python -m raybase.testing golden``: the lists as they are now, with the known reasons."""
    for operation in arguments or LISTS:
        path = _LISTS / f"{operation}.txt"
        known = path.read_text().splitlines() if path.exists() else []
        reasons = {line.partition("#")[0].strip(): line.partition("#")[2] for line in known}
        print(f"== {operation}")
        for call in calls_of(operation):
            reason = reasons.get(call, "")
            print(f"{call:<64}#{reason}" if reason else call)
    return sum(1 for operation in LISTS for _ in differences(operation))


# -- on the simulated disk -----------------------------------------------------------------


def _simulated_calls(act: Act) -> list[str]:
    with Simulation(1, CONFIG, lines_kept=200) as simulation:
        stage = Stage(simulation, CONFIG)
        calls: list[str] = []

        async def story() -> None:
            await stage.begin()
            await stage.writer.write(4)
            await stage.hosted.flush()
            await stage.writer.write(3)
            simulation.disk.calls = calls
            stage.on_acknowledged = lambda: calls.append("acknowledge")
            await act(stage)

        simulation.run(story(), _BOUND_S, _PROCESS)
        assert simulation.errors == []
    return [_named(call) for call in calls]


def _named(call: str) -> str:
    """The call without what differs from run to run."""
    if call.startswith("write "):
        call = call.rpartition(" ")[0]
    for pattern, name in _NAMES:
        call = pattern.sub(name, call)
    return call


async def put(stage: Stage) -> None:
    await stage.writer.write()


async def roll(stage: Stage) -> None:
    stage.hosted.log.request_roll()
    await stage.hosted.log.barrier()
    await stage.writer.write()


async def flush(stage: Stage) -> None:
    await stage.hosted.flush()


async def archive(stage: Stage) -> None:
    stage.hosted.log.request_roll()
    await stage.runtime.clock.sleep(0.1)
    await stage.hosted.flush()
    await stage.runtime.clock.sleep(0.5)


async def compaction(stage: Stage) -> None:
    await stage.hosted.flush()
    calls = stage.simulation.disk.calls
    assert calls is not None, "they are being recorded"
    calls.clear()
    assert await compact(stage.hosted, major=True)


async def commit(stage: Stage) -> None:
    await stage.hosted.commit(stage.hosted.region.next_manifest())


async def close(stage: Stage) -> None:
    await region_closer.close(stage.hosted, 1)


async def split(stage: Stage) -> None:
    daughters = (RegionInfo(TABLE.name, b"", b"row3", 2), RegionInfo(TABLE.name, b"row3", b"", 2))
    await split_off(stage.hosted, SplitRequest(REGION, TABLE, daughters, 1, 2))


LISTS: Final[dict[str, Act]] = {
    "put": put,
    "roll": roll,
    "flush": flush,
    "archive": archive,
    "compaction": compaction,
    "commit": commit,
    "close": close,
    "split": split,
    "recovery": recover_and_flush,
    _POSIX: put,
}


# -- on the real file system ---------------------------------------------------------------

_RECORDED: Final = ("open", "write", "writev", "fsync", "fdatasync", "link", "unlink", "rename")
_RECORDED_TOO: Final = ("replace", "mkdir")


class _Recorder:
    """Writes down what is asked of ``os`` about files below a directory."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._paths: dict[int, str] = {}
        self.calls: list[str] = []

    def wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def recorded(*arguments: Any, **options: Any) -> Any:
            result = real(*arguments, **options)
            if name == "open":
                self._opened(result, *arguments)
            elif isinstance(arguments[0], int):
                self._add(self._verb(name, arguments[0]), self._paths.get(arguments[0], "?"))
            else:
                self._add("rename" if name == "replace" else name, *arguments[:2])
            return result

        return recorded

    def _opened(self, descriptor: int, path: str, flags: int, *_: Any) -> None:
        self._paths[descriptor] = path
        if flags & os.O_CREAT:
            self._add("create", path)

    def _verb(self, name: str, descriptor: int) -> str:
        if "sync" in name:
            return "syncdir" if os.path.isdir(self._paths.get(descriptor, "")) else "sync"
        return "write"

    def _add(self, verb: str, *paths: object) -> None:
        below = [os.path.relpath(one, self._root) for one in paths if isinstance(one, str)]
        self.calls.append(_named_real(f"{verb} {' '.join(below)}"))


def _named_real(call: str) -> str:
    return re.sub(r"\.tmp-[\w-]+", "TEMPORARY", call).replace(" .", " ROOT")


def _posix_calls() -> list[str]:
    with tempfile.TemporaryDirectory() as root, ExitStack() as stack:
        recorder = _Recorder(os.path.abspath(root))
        files = posix.PosixFiles(root)
        stack.callback(files.close)
        for name in (*_RECORDED, *_RECORDED_TOO):
            stack.enter_context(mock.patch.object(os, name, recorder.wrap(name)))
        asyncio.run(_use(files, recorder.calls))
    return recorder.calls


async def _use(files: posix.PosixFiles, calls: list[str]) -> None:
    async def step(name: str, work: Awaitable[Any]) -> Any:
        calls.append(f"[{name}]")
        return await work

    log = await step("create_log", files.create_log("WALs/s/1"))
    await step("append", log.append(b"batch"))
    await step("append, not synced", log.append(b"batch", sync=False))
    await step("put_if_absent", files.put_if_absent("data/manifest/1", b"manifest"))
    await step("put_if_absent, there is one", files.put_if_absent("data/manifest/1", b"other"))
    await step("write", files.write("data/f/1", [b"store", b"file"]))
    await step("rename", files.rename("data/f/1", "archive/f/1"))
    await step("fence", files.fence("WALs/s"))
    await step("remove", files.remove("archive/f/1"))
    await log.close()
