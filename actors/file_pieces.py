"""Files that are written while they are made: only a piece of them is ever in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ..config import MIB
from ..runtime import FileSystem

PIECE_BYTES: Final = MIB


class Pieces:
    """Gathers bytes until there are enough of them to be written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, data: bytes) -> bytes:
        """A piece of at least PIECE_BYTES, or nothing yet."""
        if data:
            self._parts.append(data)
            self._bytes += len(data)
        return self.rest() if self._bytes >= PIECE_BYTES else b""

    def rest(self) -> bytes:
        """What was gathered and not given out."""
        data = b"".join(self._parts)
        self._parts.clear()
        self._bytes = 0
        return data


async def write_pieces(files: FileSystem, path: str, pieces: AsyncIterator[bytes]) -> bool:
    """Writes a file of these pieces; False: there was none, and there is no file.

    Raises OSError, and whatever ``pieces`` raises.
    """
    first = await anext(pieces, None)
    if first is None:
        return False
    second = await anext(pieces, None)
    if second is None:
        await files.write(path, [first])
    else:
        await files.write_stream(path, _chained(first, second, pieces))
    return True


async def _chained(
    first: bytes, second: bytes, pieces: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    yield first
    yield second
    async for piece in pieces:
        yield piece
