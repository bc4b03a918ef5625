"""The coordinator's files: claims of its lives, snapshots, logs, and taking them over.

::

    coordinator/<life>/claim          who began this life, and from which life's state
    coordinator/<life>/snapshot.<n>   the state before the first record of log.<n>
    coordinator/<life>/log.<n>        the transactions after it

A life begins with the fencing of the lives before it. The directory of the one that it goes on
from stays, with its claim and its fence; older ones are removed. docs/formats/coordinator-log.md
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ..coordination.log_format import (
    LogHeader,
    decode_log,
    decode_snapshot,
    encode_batch,
    snapshot_parts,
)
from ..coordination.state import CoordinatorState
from ..errors import CorruptionError, FencedError
from ..runtime import AppendLog, Clock, FileSystem

logger = logging.getLogger(__name__)

DIRECTORY: Final = "coordinator"
_LIFE: Final = re.compile(r"\d{10}")
_FILE: Final = re.compile(r"(snapshot|log)\.(\d{10})")


def life_directory(life: int) -> str:
    return f"{DIRECTORY}/{life:010d}"


def claim_path(life: int) -> str:
    return f"{life_directory(life)}/claim"


def snapshot_path(life: int, number: int) -> str:
    return f"{life_directory(life)}/snapshot.{number:010d}"


def log_path(life: int, number: int) -> str:
    return f"{life_directory(life)}/log.{number:010d}"


@dataclass(frozen=True, slots=True)
class _Contents:
    """The numbered files of a life, sorted."""

    snapshots: tuple[int, ...]
    logs: tuple[int, ...]

    @classmethod
    async def of(cls, files: FileSystem, life: int) -> Self:
        found: dict[str, list[int]] = {"snapshot": [], "log": []}
        for name in await files.list(life_directory(life)):
            if match := _FILE.fullmatch(name):
                found[match[1]].append(int(match[2]))
        return cls(tuple(sorted(found["snapshot"])), tuple(sorted(found["log"])))


class CoordinatorFiles:
    """The files of the life that this process began; nobody else writes them.

    ``append``, ``check`` and ``roll`` raise FencedError once a later life has begun, and
    SyncFailedError if the disk failed: in both cases the process must end.
    """

    def __init__(self, files: FileSystem, life: int, number: int, log: AppendLog) -> None:
        self._files = files
        self.life = life
        self._number = number
        self._log = log
        self.log_bytes = 0
        self.proved = True
        """Damage to what was appended cannot be taken for a write that never ended."""

    @classmethod
    async def take_over(
        cls, files: FileSystem, name: str, begin: Callable[[], CoordinatorState]
    ) -> tuple[Self, CoordinatorState]:
        """Fences every earlier life, reads what it left and begins the next one.

        ``begin`` makes the first state of all. Of several processes that do this at a time,
        at most one will ever get an append through.

        Raises CorruptionError if the files are not what a coordinator left there, and
        FencedError if a later life has begun meanwhile.
        """
        while True:
            lives, base, state = await _settled(files, fence=True)
            if state is None:
                state = begin()
            life = lives[-1][0] + 1 if lives else 1
            if await files.put_if_absent(claim_path(life), f"{base} {name}\n".encode()):
                break
        # The log before the snapshot, so that a snapshot without a log is a loss that shows.
        self = cls(files, life, 0, await files.create_log(log_path(life, 0)))
        await self._write_header(state.zxid)
        await files.put_if_absent(snapshot_path(life, 0), b"".join(snapshot_parts(state)))
        await self.check()
        await self._check_is_latest()
        for earlier, contents in lives:
            await _remove_files(files, earlier, contents)
        await _remove_lives(files, [earlier for earlier, _ in lives if earlier < base])
        return self, state

    async def _check_is_latest(self) -> None:
        """Raises FencedError if there is a later life.

        Whoever slept for long finds its directory removed, brings it back by what it writes
        there, and sees no fence in it; but the latest life is never removed.
        """
        latest, _ = (await _lives(self._files))[-1]
        if latest > self.life:
            raise FencedError(f"coordinator life {latest} has begun after {self.life}")

    async def append(self, records: Sequence[bytes]) -> None:
        """Returns when the records are on disk, and nobody has begun a later life.

        No records make a batch, too: it proves the one before it.
        """
        data = encode_batch(self.log_bytes, records)
        self.log_bytes = await self._log.append(data)
        self.proved = not records

    async def check(self) -> None:
        await self._log.check()

    async def roll(self, state: CoordinatorState) -> Snapshot:
        """Begins the next log file, and returns the snapshot that will stand before it.

        Requires: every record that ``state`` comes from has been appended.
        """
        snapshot = Snapshot(self._files, self.life, self._number + 1, state)
        log = await self._files.create_log(log_path(self.life, self._number + 1))
        # Later lives may have removed the fenced directory before the new log brought it back
        # without its mark; the old one is gone from its path then.
        await self._log.check()
        await self._log.close()
        self._log = log
        self._number += 1
        self.proved = True
        await self._write_header(state.zxid)
        return snapshot

    async def _write_header(self, zxid: int) -> None:
        self.log_bytes = await self._log.append(LogHeader(self.life, zxid).encode())

    async def close(self) -> None:
        await self._log.close()


async def read_state(files: FileSystem) -> CoordinatorState | None:
    """The state as the files have it, for people; None if there is none. Changes nothing.

    Raises CorruptionError, FileNotFoundError: no coordinator would begin with these files.
    """
    _, _, state = await _settled(files, fence=False)
    return state


class Snapshot:
    """A state on its way to disk, while its original goes on changing."""

    def __init__(self, files: FileSystem, life: int, number: int, state: CoordinatorState) -> None:
        self._files = files
        self._life = life
        self._number = number
        self._parts = snapshot_parts(state)
        self._done = [next(self._parts)]

    async def write(self, clock: Clock) -> None:
        """Writes it, giving way to others between the parts, and removes what it replaces.

        Whoever is taking over meanwhile finds either the old files or the snapshot.
        """
        for part in self._parts:
            self._done.append(part)
            await clock.sleep(0)
        path = snapshot_path(self._life, self._number)
        await self._files.put_if_absent(path, b"".join(self._done))
        contents = await _Contents.of(self._files, self._life)
        replaced = _Contents(
            tuple(number for number in contents.snapshots if number < self._number),
            tuple(number for number in contents.logs if number < self._number),
        )
        await _remove_files(self._files, self._life, replaced)


async def _lives(files: FileSystem) -> list[tuple[int, _Contents]]:
    """Every life that was begun, the latest last."""
    names = [name for name in await files.list(DIRECTORY) if _LIFE.fullmatch(name)]
    return [(int(name), await _Contents.of(files, int(name))) for name in names]


async def _remove_files(files: FileSystem, life: int, contents: _Contents) -> None:
    for number in contents.snapshots:
        await files.remove(snapshot_path(life, number))
    for number in contents.logs:
        await files.remove(log_path(life, number))


async def _remove_lives(files: FileSystem, lives: Sequence[int]) -> None:
    """Removes all that is left of them: logs first, so that none is ever there without the
    mark of its fence. Requires: a later life has been in service before the present one."""
    for life in lives:
        try:
            await _remove_files(files, life, await _Contents.of(files, life))
            await files.remove(life_directory(life))
        except OSError as error:
            # Somebody who woke up was just writing there; the next life tries again.
            logger.warning("what is left of coordinator life %d stays: %s", life, error)


async def _settled(
    files: FileSystem, *, fence: bool
) -> tuple[list[tuple[int, _Contents]], int, CoordinatorState | None]:
    """The lives that were begun, and what ``_recover`` finds among them."""
    while True:
        lives = await _lives(files)
        try:
            base, state = await _recover(files, [life for life, _ in lives], fence=fence)
        except (CorruptionError, FileNotFoundError):
            # Somebody else who takes over, or a snapshot under way, may have removed what
            # we were reading; then there is something new to be seen.
            if await _lives(files) == lives:
                raise
            continue
        return lives, base, state


async def _recover(
    files: FileSystem, lives: Sequence[int], *, fence: bool
) -> tuple[int, CoordinatorState | None]:
    """The latest life that has a state, and the state; fences the lives down to it if asked.

    A life that has no snapshot was never in service: the state is that of the life it was to
    go on from. (0, None): there has not been a state yet.
    """
    life = lives[-1] if lives else 0
    expected = False
    while life > 0:
        if fence:
            await files.fence(life_directory(life))
        contents = await _Contents.of(files, life)
        if contents.snapshots:
            return life, await _read_state(files, life, contents)
        if expected:
            raise CorruptionError(life_directory(life), 0, "the snapshot is missing")
        base = await _claimed_base(files, life)
        expected = base is not None
        life = life - 1 if base is None else base
    return 0, None


async def _claimed_base(files: FileSystem, life: int) -> int | None:
    """From which life's state this one was to go on (0: from none); None if nobody began it."""
    path = claim_path(life)
    if not await files.exists(path):
        return None
    text = (await files.read(path)).decode("utf-8", "replace").partition(" ")[0]
    if not text.isdecimal() or int(text) >= life:
        raise CorruptionError(path, 0, "a claim begins with the number of an earlier life")
    return int(text)


async def _read_state(files: FileSystem, life: int, contents: _Contents) -> CoordinatorState:
    """The latest snapshot and all that the logs say happened after it."""
    first = contents.snapshots[-1]
    logs = [number for number in contents.logs if number >= first]
    if not logs or logs != list(range(first, first + len(logs))):
        raise CorruptionError(log_path(life, first), 0, "a log is missing")
    path = snapshot_path(life, first)
    state = decode_snapshot(path, await files.read(path))
    for number in logs:
        path = log_path(life, number)
        data = await files.read(path)
        log = decode_log(path, data)
        if number != logs[-1] and log.length != len(data):
            raise CorruptionError(path, log.length, "damage in a log that has a successor")
        if log.header is None:
            continue
        if log.header != LogHeader(life, state.zxid):
            reason = f"the log should begin after transaction {state.zxid}, not {log.header}"
            raise CorruptionError(path, 0, reason)
        for record in log.records:
            try:
                state.apply(record)
            except ValueError as error:
                raise CorruptionError(path, 0, str(error)) from None
    return state
