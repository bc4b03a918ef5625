"""LZO1X, which HBase's codec LZO compresses with: the decompressor.

A stream is a row of instructions: a run of literals, or a match that repeats ``length`` bytes
which were made ``distance`` bytes ago, followed by up to three literals. What the first byte
means depends on what came before it:

::

    0000ddss H   after a run of 4 or more literals: distance 2049 + (H << 2) + dd, length 3
    0000ddss H   after 1 to 3 literals: distance 1 + (H << 2) + dd, length 2
    0000llll     after a match without literals: a run of 3 + llll literals
    1lldddss H   distance 1 + (H << 3) + ddd, length 5 + ll
    01ldddss H   distance 1 + (H << 3) + ddd, length 3 + l
    001lllll DD  distance 1 + (DD >> 2), length 2 + lllll
    0001hlll DD  distance 16384 + (h << 14) + (DD >> 2), length 2 + lll; of no bytes: the end

DD is little-endian; its lowest two bits, or ``ss`` where there is one, count the literals that
follow. Bits of l that are all 0 stand for all 1, and bytes follow that are added: 255 for each
00, and the first other byte, which is the last. Written from the description of the format in
the Linux kernel's Documentation/staging/lzo.rst.
"""

from __future__ import annotations

from typing import Final

_END_DISTANCE: Final = 0x4000
_LONG_MATCH: Final = 0x40
_MIDDLE_MATCH: Final = 0x20
_FAR_MATCH: Final = 0x10


def decompress(data: bytes, out_bytes_max: int) -> bytes:
    """Raises ValueError or IndexError for a malformed stream or one of more bytes than that."""
    stream = _Stream(data, out_bytes_max)
    stream.run()
    return bytes(stream.out)


class _Stream:
    def __init__(self, data: bytes, out_bytes_max: int) -> None:
        self.data = data
        self.at = 0
        self.out = bytearray()
        self.out_bytes_max = out_bytes_max

    def run(self) -> None:
        """Every instruction; returns at the end mark, which must be the end of the data."""
        literals = self._first_literals()
        while True:
            byte = self._byte()
            if byte >= _FAR_MATCH:
                trailing = self._match(byte)
                if trailing < 0:
                    break
            elif literals == 0:
                literals = 3 + self._length(byte, 15)
                self._literals(literals)
                continue
            else:
                near = 1 if literals < 4 else 2049
                self._copy(near + (byte >> 2) + (self._byte() << 2), 2 if literals < 4 else 3)
                trailing = byte & 3
            self._literals(trailing)
            literals = trailing
        if self.at != len(self.data):
            raise ValueError("an LZO stream goes on behind its end")

    def _first_literals(self) -> int:
        """A first byte above 17 is a run of literals of its own kind."""
        if not self.data or self.data[0] <= 17:
            return 0
        count = self._byte() - 17
        self._literals(count)
        return count

    def _match(self, byte: int) -> int:
        """Carries out a match; the number of literals behind it, -1 for the end mark."""
        if byte >= _LONG_MATCH:
            self._copy(1 + (byte >> 2 & 7) + (self._byte() << 3), (byte >> 5) + 1)
            return byte & 3
        if byte >= _MIDDLE_MATCH:
            length = 2 + self._length(byte & 31, 31)
            distance = 1
        else:
            length = 2 + self._length(byte & 7, 7)
            distance = _END_DISTANCE + ((byte & 8) << 11)
        last = self._byte() | self._byte() << 8
        distance += last >> 2
        if distance == _END_DISTANCE and byte < _MIDDLE_MATCH:
            return -1
        self._copy(distance, length)
        return last & 3

    def _byte(self) -> int:
        byte = self.data[self.at]
        self.at += 1
        return byte

    def _length(self, short: int, most: int) -> int:
        if short:
            return short
        length = most
        while (byte := self._byte()) == 0:
            length += 255
        return length + byte

    def _literals(self, count: int) -> None:
        end = self.at + count
        if end > len(self.data):
            raise ValueError("an LZO stream ends inside its literals")
        self._make_room(count)
        self.out += self.data[self.at : end]
        self.at = end

    def _copy(self, distance: int, length: int) -> None:
        out = self.out
        start = len(out) - distance
        if start < 0:
            raise ValueError("an LZO stream repeats what it never made")
        self._make_room(length)
        if distance >= length:
            out += out[start : start + length]
        else:
            whole, rest = divmod(length, distance)
            pattern = out[start:]
            out += pattern * whole + pattern[:rest]

    def _make_room(self, count: int) -> None:
        if len(self.out) + count > self.out_bytes_max:
            raise ValueError(f"an LZO stream of more than {self.out_bytes_max} bytes")
