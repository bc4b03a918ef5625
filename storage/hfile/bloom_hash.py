"""The hash functions of HBase's bloom filters, bit for bit.

All give 32 bits, unsigned here. Source: MurmurHash.java, JenkinsHash.java, MurmurHash3.java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MURMUR: Final = 1
"""What HBase writes unless ``hbase.hash.type`` says otherwise."""
_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995

Hash = Callable[[bytes, int], int]


def murmur(key: bytes, seed: int) -> int:
    """MurmurHash2, but bytes behind the last whole word are signed, as Java's are."""
    whole = len(key) & ~3
    h = seed ^ len(key)
    for k in struct.unpack_from(f"<{whole >> 2}I", key):
        k = k * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    for place in range(len(key) - 1, whole - 1, -1):
        byte = key[place]
        h ^= ((byte - 256 if byte > 127 else byte) << 8 * (place - whole)) & _MASK
    if whole < len(key):
        h = h * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def murmur_all(keys: Sequence[bytes], seeds: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """``murmur`` of every key with its seed; keys of one length are hashed together."""
    lengths = np.fromiter(map(len, keys), np.int64, len(keys))
    hashes = np.empty(len(keys), np.uint32)
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        if len(chosen) < _TOGETHER_MIN:
            for index in chosen.tolist():
                hashes[index] = murmur(keys[index], int(seeds[index]))
            continue
        joined = b"".join([keys[index] for index in chosen.tolist()])
        table = np.frombuffer(joined, np.uint8).reshape(len(chosen), length)
        hashes[chosen] = _murmur_table(table, length, seeds[chosen])
    return hashes


_TOGETHER_MIN: Final = 8
"""So few keys of a length are hashed faster one by one."""


def _murmur_table(
    table: npt.NDArray[np.uint8], length: int, seeds: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    whole = length & ~3
    m = np.uint32(_M)
    h: npt.NDArray[np.uint32] = seeds ^ np.uint32(length)
    words: npt.NDArray[Any] = np.ascontiguousarray(table[:, :whole]).view("<u4")
    for column in range(whole >> 2):
        k = words[:, column].astype(np.uint32) * m
        k = (k ^ k >> np.uint32(24)) * m
        h = h * m ^ k
    for place in range(length - 1, whole - 1, -1):
        signed = table[:, place].astype(np.int8).astype(np.int32)
        h = h ^ (signed << np.int32(8 * (place - whole))).view(np.uint32)
    if whole < length:
        h = h * m
    h = (h ^ h >> np.uint32(13)) * m
    return h ^ h >> np.uint32(15)


def jenkins(key: bytes, seed: int) -> int:
    """Bob Jenkins's lookup3 (hashlittle)."""
    a = b = c = (0xDEADBEEF + len(key) + seed) & _MASK
    at = 0
    while len(key) - at > 12:
        x, y, z = struct.unpack_from("<III", key, at)
        a, b, c = _mix((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)
        at += 12
    if at == len(key):
        return c
    x, y, z = struct.unpack("<III", key[at:].ljust(12, b"\0"))
    return _final((a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK)


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - c & _MASK) ^ _rotated(c, 4)
    c = c + b & _MASK
    b = (b - a & _MASK) ^ _rotated(a, 6)
    a = a + c & _MASK
    c = (c - b & _MASK) ^ _rotated(b, 8)
    b = b + a & _MASK
    a = (a - c & _MASK) ^ _rotated(c, 16)
    c = c + b & _MASK
    b = (b - a & _MASK) ^ _rotated(a, 19)
    a = a + c & _MASK
    c = (c - b & _MASK) ^ _rotated(b, 4)
    b = b + a & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = (c ^ b) - _rotated(b, 14) & _MASK
    a = (a ^ c) - _rotated(c, 11) & _MASK
    b = (b ^ a) - _rotated(a, 25) & _MASK
    c = (c ^ b) - _rotated(b, 16) & _MASK
    a = (a ^ c) - _rotated(c, 4) & _MASK
    b = (b ^ a) - _rotated(a, 14) & _MASK
    return (c ^ b) - _rotated(b, 24) & _MASK


def murmur3(key: bytes, seed: int) -> int:
    """MurmurHash3_x86_32."""
    whole = len(key) & ~3
    h = seed
    for k in struct.unpack_from(f"<{whole >> 2}I", key):
        h = _rotated(h ^ _scrambled(k), 13) * 5 + 0xE6546B64 & _MASK
    if whole < len(key):
        h ^= _scrambled(int.from_bytes(key[whole:], "little"))
    h ^= len(key)
    h = (h ^ h >> 16) * 0x85EBCA6B & _MASK
    h = (h ^ h >> 13) * 0xC2B2AE35 & _MASK
    return h ^ h >> 16


def _scrambled(k: int) -> int:
    return _rotated(k * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK


HASHES: Final[dict[int, Hash]] = {0: jenkins, MURMUR: murmur, 2: murmur3}
"""By the number in a filter's meta block. Source: Hash.java."""
