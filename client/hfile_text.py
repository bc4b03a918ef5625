"""How HBase's tools write keys and statistics. Source: Bytes.java, KeyValue.java, CellUtil.java,
HFilePrettyPrinter.java (KeyValueStats), UniformSnapshot.java of Dropwizard's metrics.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final

from ..model import LATEST_TIMESTAMP, CellType

_OLDEST_TIMESTAMP: Final = -(2**63)
_TYPES: Final = {
    CellType.MINIMUM: "Minimum",
    CellType.PUT: "Put",
    CellType.DELETE: "Delete",
    CellType.DELETE_FAMILY_VERSION: "DeleteFamilyVersion",
    CellType.DELETE_COLUMN: "DeleteColumn",
    CellType.DELETE_FAMILY: "DeleteFamily",
    CellType.MAXIMUM: "Maximum",
}
_RANGES: Final = (
    *(1, 3, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 750_000),
    *(1_000_000, 5_000_000, 10_000_000, 50_000_000, 100_000_000),
)
_ESCAPED: Final = re.compile(rb"\\x([0-9A-F]{2})")
_PRINTABLE: Final = [
    chr(byte) if 32 <= byte <= 126 and byte != 92 else f"\\x{byte:02X}" for byte in range(256)
]


def binary_text(data: bytes) -> str:
    """As Bytes.toStringBinary: what is not printable ASCII as ``\\xNN``."""
    return "".join([_PRINTABLE[byte] for byte in data])


def binary_bytes(text: str) -> bytes:
    """As Bytes.toBytesBinary: what ``binary_text`` makes of bytes, back again."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text.encode())


def key_text(row: bytes, family: bytes, qualifier: bytes, timestamp: int, type_code: int) -> str:
    """``row/family:qualifier/timestamp/type``."""
    time = str(timestamp)
    if timestamp == LATEST_TIMESTAMP:
        time = "LATEST_TIMESTAMP"
    elif timestamp == _OLDEST_TIMESTAMP:
        time = "OLDEST_TIMESTAMP"
    kind = _TYPES.get(CellType(type_code)) if type_code in _TYPES else f"type {type_code}"
    column = binary_text(qualifier)
    if family:
        column = f"{binary_text(family)}:{column}"
    return f"{binary_text(row)}/{column}/{time}/{kind}"


def percent_text(part: int, whole: int) -> str:
    """As Java's percent format: no digits behind the point, halves to the even number."""
    exact = Decimal(repr(part / whole)) * 100
    return f"{exact.quantize(Decimal(1), ROUND_HALF_EVEN):,}%"


def _two_digits(value: float) -> str:
    return str(Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))


class Histogram:
    """Of sizes, with all of them: HBase's is a sample once there are more than 1,028."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._values: list[int] = []

    def add(self, value: int) -> None:
        self._values.append(value)

    def lines(self, *, with_ranges: bool) -> Iterator[str]:
        """What is printed; there must be a value."""
        values = sorted(self._values)
        count = len(values)
        mean = sum(values) / count
        deviation = 0.0
        if count > 1:
            deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
        yield f"   {self.name}:"
        yield f"{'min':>18} = {values[0]}"
        yield f"{'max':>18} = {values[-1]}"
        yield f"{'mean':>18} = {_two_digits(mean)}"
        yield f"{'stddev':>18} = {_two_digits(deviation)}"
        yield f"{'median':>18} = {_two_digits(_quantile(values, 0.5))}"
        for quantile, name in (
            *((0.75, "75%"), (0.95, "95%"), (0.98, "98%"), (0.99, "99%")),
            (0.999, "99.9%"),
        ):
            yield f"{name:>17} <= {_two_digits(_quantile(values, quantile))}"
        yield f"{'count':>18} = {count}"
        if with_ranges:
            yield from _range_lines(values)


def _quantile(values: list[int], quantile: float) -> float:
    position = quantile * (len(values) + 1)
    index = int(position)
    if index < 1:
        return float(values[0])
    if index >= len(values):
        return float(values[-1])
    lower, upper = values[index - 1], values[index]
    return lower + (position - math.floor(position)) * (upper - lower)


def _range_lines(values: list[int]) -> Iterator[str]:
    """How many values there are up to each round number above the one before."""
    counts = [0] * (len(_RANGES) + 1)
    for value in values:
        counts[bisect_left(_RANGES, value)] += 1
    yield f"{'(range <= count):':>28}"
    seen = before = 0
    for limit, count in zip(_RANGES, counts, strict=False):
        if count:
            if not seen and before:
                yield f"{before:>17} <= 0"
            yield f"{limit:>17} <= {count}"
        seen += count
        before = limit
    if counts[-1]:
        yield f"{'inf':>17} <= {counts[-1]}"
