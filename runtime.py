"""The seam: everything that makes a run slow or unrepeatable, as Protocols.

The code below actors/'s thin shells gets its clock, randomness, files, network, processes,
tasks and objects from a ``Runtime`` and from nowhere else. Ray, TCP and the operating system
implement it (actors/ray_runtime.py, actors/posix.py); testing/ implements it in one process
on a virtual clock, from one seed. A test forbids going around it.

Paths are relative to the cluster's root, with '/' between names on every system.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Buffer = bytes | bytearray | memoryview


class Clock(Protocol):
    """Time. Only ``now_ms`` may jump; nothing that must be safe may rest on it."""

    def now_ms(self) -> int:
        """Wall clock in ms since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some start, never going back."""
        ...

    async def sleep(self, delay_s: float) -> None: ...


class Entropy(Protocol):
    """Randomness and identifiers."""

    def uniform(self, low: float, high: float) -> float: ...

    def integer(self, bits: int) -> int:
        """A number in ``[0, 2**bits)``; what nonces and ids are made of."""
        ...


class AppendLog(Protocol):
    """An append-only file of one writer, which its successor can fence."""

    @property
    def path(self) -> str: ...

    async def append(self, data: Buffer, *, sync: bool = True) -> int:
        """Writes, syncs if asked, and only then tests the fence; returns the new length.

        After it returned, the bytes survive (if synced) and whoever fences later reads them.

        Raises:
            FencedError: a successor fenced the log. The bytes may be there or not; nothing of
                them may be acknowledged, and the process must end.
            DiskFullError: the disk is full. The log keeps what it could not write: append again,
                nothing if there is nothing new, and that is written first.
            SyncFailedError: the write or the sync failed; never try again on this log.
        """
        ...

    async def check(self) -> None:
        """Raises FencedError if the log is fenced: the test that stands before every answer."""
        ...

    async def close(self) -> None: ...


class FileSystem(Protocol):
    """The root of a cluster: one directory that all its nodes see at once.

    Whatever a method makes is durable, name included, when it returns. A missing file is
    FileNotFoundError; other trouble is OSError.
    """

    async def create_log(self, path: str) -> AppendLog:
        """A new, empty log at ``path``; its directory must not be fenced.

        Raises FileExistsError if there is a file, FencedError if the directory is fenced.
        """
        ...

    async def fence(self, directory: str) -> None:
        """Refuses every later append to the logs in ``directory``. Idempotent.

        An append that returned before is in the file when this returns.
        """
        ...

    async def put_if_absent(self, path: str, data: Buffer, *, together: bool = False) -> bool:
        """Makes the file with these bytes, all or nothing; False if there was one already.

        With ``together`` the caller makes many at once: their syncs may go to the disk
        together, though each of them takes longer.
        """
        ...

    async def write(self, path: str, parts: Sequence[Buffer]) -> None:
        """Writes a file nobody else writes, replacing a left-over of an earlier try."""
        ...

    async def write_stream(self, path: str, parts: AsyncIterator[Buffer]) -> None:
        """As ``write``, for a file too large to be in memory: it gets its name at the end.

        Raises whatever ``parts`` raises; there is no file then.
        """
        ...

    async def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """Up to ``length`` bytes from ``offset`` (all of them if None)."""
        ...

    async def size(self, path: str) -> int: ...

    async def exists(self, path: str) -> bool: ...

    async def list(self, directory: str) -> list[str]:
        """Names in the directory, sorted; empty if there is none."""
        ...

    async def remove_unfinished(self, directory: str) -> int:
        """Removes what writers that died left half made in the directory; how many there were.

        For its owner, who has nothing under way there: a write of somebody else's that is
        under way fails with FileNotFoundError.
        """
        ...

    async def rename(self, source: str, target: str) -> None:
        """Moves a file, making the target's directory; durable when it returns."""
        ...

    async def remove(self, path: str) -> None:
        """Removes a file or a directory with all below it; no error if there is none."""
        ...

    async def try_lock(self, path: str) -> bool:
        """Takes the lock file for as long as this process lives; False if another has it.

        A courtesy that makes mistakes visible early; safety never rests on it.
        """
        ...


class Listener(Protocol):
    """A port that accepts connections."""

    @property
    def port(self) -> int: ...

    async def close(self) -> None: ...


class Network(Protocol):
    """Byte streams between processes, as asyncio protocols and transports."""

    async def listen(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> Listener:
        """Raises OSError if the port is taken; port 0 takes a free one."""
        ...

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Raises OSError if nobody listens there."""
        ...


class Remote(Protocol):
    """Another process of the cluster, by name (real: a named Ray actor)."""

    @property
    def name(self) -> str: ...

    async def call(self, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        """Runs ``method(*args)`` there. Calls may overtake one another.

        Raises:
            ProcessDiedError: reported dead for good. A hint only: it may still be serving.
            ProcessUnavailableError: no answer in time; it may run, now or later, or never.
            RaybaseError: whatever the method raised.
        """
        ...


class Processes(Protocol):
    """Starting, reaching and ending the cluster's processes."""

    def remote(self, name: str) -> Remote: ...

    async def spawn(
        self, role: str, name: str, arguments: dict[str, Any], away_from: Sequence[str] = ()
    ) -> None:
        """Starts a process (role: ``coordinator``, ``master`` or ``region_server``).

        Returns when the start is under way; ``name`` must be new. It is not started on the
        nodes of the processes ``away_from``, unless there is no other node.
        """
        ...

    async def kill(self, name: str) -> None:
        """Ends the process at once, if it is there."""
        ...

    def exit(self, reason: str) -> None:
        """Ends the calling process within 1 s; nothing it still holds is acknowledged."""
        ...


class Tasks(Protocol):
    """Work off the loop, on any idle CPU of the cluster (real: Ray tasks)."""

    async def run(self, job: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Runs ``await job(files, objects, *args)`` elsewhere and returns its result.

        ``job`` is a module-level coroutine function; arguments and result are picklable. It
        may run twice, and a first run may still be going on when a second has ended.

        Raises ProcessDiedError if the worker died, else what the job raised.
        """
        ...


class Objects(Protocol):
    """The object store: a cache of what is in files, never the only copy."""

    @property
    def node(self) -> str:
        """Which store this is: processes of the same node share one."""
        ...

    async def put(self, data: Buffer) -> Any:
        """A reference to the bytes; it may travel inside (never as) an argument of a call."""
        ...

    async def get(self, reference: Any) -> memoryview:
        """The bytes, without a copy. Raises ObjectLostError: read the file instead."""
        ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one process gets of the world."""

    clock: Clock
    entropy: Entropy
    files: FileSystem
    network: Network
    processes: Processes
    tasks: Tasks
    objects: Objects
