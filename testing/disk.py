"""A disk that knows what was synced: bytes of files and entries of directories.

Reads see the page cache: everything written. ``crash`` is the power going off: of each file the
synced bytes stay and of the rest nothing, all, a torn part or rubbish; of each directory the
synced entries stay and of the later ones any subset, in any order. Only a rename is kept from
losing both names, as no file system does that.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Final

from ..runtime import Buffer

_SECTOR: Final = 512


class Fate(Enum):
    """What becomes of all that was not synced when the power goes off."""

    NOTHING = "nothing of it is left"
    EVERYTHING = "all of it is left"
    CHANCE = "each thing has a fate of its own"


class FileNode:
    """Bytes, of which the first ``synced`` survive the power going off."""

    __slots__ = ("data", "sync_lost", "synced")

    def __init__(self) -> None:
        self.data = bytearray()
        self.synced = 0
        self.sync_lost = False
        """A sync failed: as Linux does, the pages count as clean and are never written."""


class DirectoryNode:
    __slots__ = ("durable", "entries", "renamed")

    def __init__(self) -> None:
        self.entries: dict[str, Node] = {}
        self.durable: dict[str, Node] = {}
        self.renamed: dict[str, Node] = {}
        """What left by a rename that is not durable yet."""


Node = FileNode | DirectoryNode


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


class Disk:
    """The tree, and its mutating calls in order.

    ``on_call`` is told of every mutating call before it happens: the place to take images, and
    to make a call fail by raising OSError. A write that fails leaves half of its bytes; after
    a sync that failed the file never becomes durable. ``on_read`` is the same for reads.
    """

    def __init__(self) -> None:
        self.root = DirectoryNode()
        self.calls: list[str] | None = None
        """Set to a list to have the calls recorded, for golden lists."""
        self.on_call: Callable[[str], None] | None = None
        self.on_read: Callable[[str], None] | None = None
        self.free_bytes: int | None = None
        """What still fits; None: endless."""

    # Reading: the page cache.

    def find(self, path: str) -> Node | None:
        node: Node = self.root
        for name in _parts(path):
            if not isinstance(node, DirectoryNode) or name not in node.entries:
                return None
            node = node.entries[name]
        return node

    def file(self, path: str) -> FileNode:
        """Raises FileNotFoundError, IsADirectoryError."""
        node = self.find(path)
        if node is None:
            raise _missing(path)
        if isinstance(node, DirectoryNode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return node

    def directory(self, path: str) -> DirectoryNode:
        """Raises FileNotFoundError, NotADirectoryError."""
        node = self.find(path)
        if node is None:
            raise _missing(path)
        if isinstance(node, FileNode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return node

    def list(self, path: str) -> list[str]:
        node = self.find(path)
        return sorted(node.entries) if isinstance(node, DirectoryNode) else []

    def walk(self, path: str = "") -> Iterator[tuple[str, FileNode]]:
        """All files below, in the order of their names."""
        node = self.find(path)
        if isinstance(node, FileNode):
            yield path, node
        elif node is not None:
            for name in sorted(node.entries):
                yield from self.walk(f"{path}/{name}" if path else name)

    def reads(self, path: str) -> None:
        """Somebody is about to read the file. Raises what ``on_read`` does."""
        if self.on_read is not None:
            self.on_read(f"read {path}")

    # Writing.

    def make_directories(self, path: str) -> None:
        """Makes what is missing and syncs each new name, as every writer must."""
        node, done = self.root, ""
        for name in _parts(path):
            done = f"{done}/{name}" if done else name
            below = node.entries.get(name)
            if below is None:
                self._call(f"mkdir {done}")
                below = node.entries[name] = DirectoryNode()
            if isinstance(below, FileNode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), done)
            if node.durable.get(name) is not below:
                self._call(f"syncdir {_parent(done)}")
                node.durable[name] = below
            node = below

    def create(self, path: str) -> FileNode:
        """A new, empty file. Raises FileExistsError."""
        node = FileNode()
        self._enter(path, node, f"create {path}")
        return node

    def link(self, source: str, target: str) -> None:
        """A second name for a file. Raises FileExistsError."""
        self._enter(target, self.file(source), f"link {target}")

    def append(self, path: str, node: FileNode, data: Buffer) -> None:
        """Raises OSError (ENOSPC) after as much as fits."""
        try:
            self._call(f"write {path} {len(data)}")
        except OSError:
            node.data += memoryview(data)[: len(data) // 2]
            raise
        if self.free_bytes is not None:
            fits = min(len(data), max(self.free_bytes, 0))
            self.free_bytes -= fits
            if fits < len(data):
                node.data += memoryview(data)[:fits]
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        node.data += data

    def sync(self, path: str, node: FileNode) -> None:
        try:
            self._call(f"sync {path}")
        except OSError:
            node.sync_lost = True
            raise
        if not node.sync_lost:
            node.synced = len(node.data)

    def sync_directory(self, path: str) -> None:
        self._call(f"syncdir {path}")
        node = self.directory(path)
        node.durable = dict(node.entries)
        node.renamed.clear()

    def rename(self, source: str, target: str) -> None:
        """Replaces ``target``; its directory must exist."""
        node = self.find(source)
        if node is None:
            raise _missing(source)
        old, new = self.directory(_parent(source)), self.directory(_parent(target))
        self._call(f"rename {source} {target}")
        new.entries[_name(target)] = node
        if (old, _name(source)) != (new, _name(target)):
            old.renamed[_name(source)] = old.entries.pop(_name(source))

    def unlink(self, path: str) -> None:
        """Removes a file or an empty directory."""
        self._call(f"unlink {path}")
        parent = self.directory(_parent(path))
        if _name(path) not in parent.entries:
            raise _missing(path)
        node = parent.entries.pop(_name(path))
        if self.free_bytes is not None and isinstance(node, FileNode):
            self.free_bytes += len(node.data)

    # The power.

    def crash(self, chance: random.Random) -> None:
        """The power goes off; what is left afterwards is one of the possible states."""
        self.root = _image(self.root, chance, Fate.CHANCE)

    def image(self, chance: random.Random, fate: Fate = Fate.CHANCE) -> Disk:
        """What could be left if the power went off now; this disk goes on as it is."""
        copy = Disk()
        copy.root = _image(self.root, chance, fate)
        return copy

    def _enter(self, path: str, node: Node, call: str) -> None:
        parent = self.directory(_parent(path))
        if _name(path) in parent.entries:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self._call(call)
        parent.entries[_name(path)] = node

    def _call(self, call: str) -> None:
        if self.on_call is not None:
            self.on_call(call)
        if self.calls is not None:
            self.calls.append(call)


def _image(root: DirectoryNode, chance: random.Random, fate: Fate) -> DirectoryNode:
    choices: dict[int, dict[str, Node]] = {}
    departed: list[tuple[DirectoryNode, str, Node]] = []
    arrived: set[int] = set()
    pending = [root]
    while pending:
        directory = pending.pop()
        if id(directory) in choices:
            continue
        chosen = choices[id(directory)] = {}
        for name in sorted(directory.entries.keys() | directory.durable.keys()):
            now, before = directory.entries.get(name), directory.durable.get(name)
            if now is None and before is not None and directory.renamed.get(name) is before:
                departed.append((directory, name, before))
                continue
            kept = now if now is before or _survives(chance, fate) else before
            if kept is not None:
                chosen[name] = kept
                arrived.add(id(kept))
                if isinstance(kept, DirectoryNode):
                    pending.append(kept)
    for directory, name, node in departed:
        if id(node) not in arrived or not _survives(chance, fate):
            choices[id(directory)][name] = node
    return _copied(root, choices, {}, chance, fate)


def _survives(chance: random.Random, fate: Fate) -> bool:
    """Whether a change of a directory that was not synced is found afterwards."""
    return chance.random() < 0.5 if fate is Fate.CHANCE else fate is Fate.EVERYTHING


def _copied(
    directory: DirectoryNode,
    choices: dict[int, dict[str, Node]],
    files: dict[int, FileNode],
    chance: random.Random,
    fate: Fate,
) -> DirectoryNode:
    copy = DirectoryNode()
    for name, node in sorted(choices.get(id(directory), directory.durable).items()):
        if isinstance(node, DirectoryNode):
            copy.entries[name] = _copied(node, choices, files, chance, fate)
        else:
            if id(node) not in files:
                files[id(node)] = _after_crash(node, chance, fate)
            copy.entries[name] = files[id(node)]
    copy.durable = dict(copy.entries)
    return copy


def _after_crash(node: FileNode, chance: random.Random, fate: Fate) -> FileNode:
    copy = FileNode()
    copy.data = node.data[: node.synced]
    rest = node.data[node.synced :]
    if fate is Fate.EVERYTHING:
        copy.data += rest
    elif rest and fate is Fate.CHANCE:
        copy.data += _torn(rest, node.synced, chance)
    copy.synced = len(copy.data)
    return copy


def _torn(rest: bytearray, offset: int, chance: random.Random) -> bytes:
    """What is left of unsynced bytes at ``offset``."""
    fate = chance.random()
    if fate < 0.3:
        return b""
    if fate < 0.5:
        return bytes(rest)
    if fate < 0.7:
        return bytes(rest[: chance.randrange(len(rest))])
    # The size was written, of the sectors only some, in any order.
    sectors = []
    at = 0
    while at < len(rest):
        end = min(len(rest), at + _SECTOR - (offset + at) % _SECTOR)
        sector = bytes(rest[at:end])
        left = (sector, bytes(end - at), chance.randbytes(end - at))
        sectors.append(chance.choice(left))
        at = end
    return b"".join(sectors)


def _parts(path: str) -> Sequence[str]:
    return path.split("/") if path else ()


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
