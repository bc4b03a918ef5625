"""Normalizer: which regions of a table to split and to merge, so that they are of like size.

Pure. Source: SimpleRegionNormalizer.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..config import MIB, NormalizerConfig
from ..errors import IllegalArgumentError
from ..model import TableDescriptor
from ..storage.settings import is_enabled, texts_of
from .assignment import RegionNode, TransitionState

ENABLED: Final = "NORMALIZATION_ENABLED"
"""Attribute of a table that wants it; by default none does."""
TARGET_COUNT: Final = "NORMALIZER_TARGET_REGION_COUNT"
TARGET_SIZE_MB: Final = "NORMALIZER_TARGET_REGION_SIZE_MB"
_TOO_LARGE: Final = 2
"""Times the average, above which a region is split."""


@dataclass(frozen=True, slots=True)
class SizedRegion:
    """A region of the table, with the size of its store files."""

    node: RegionNode
    size_bytes: int
    has_references: bool = False
    """It cannot be split or merged before it is compacted."""


@dataclass(frozen=True, slots=True)
class Normalization:
    """One region to be split, or neighbours to be made one; and why."""

    nodes: tuple[RegionNode, ...]
    reason: str

    @property
    def is_split(self) -> bool:
        return len(self.nodes) == 1

    def __str__(self) -> str:
        names = ", ".join(str(one.info) for one in self.nodes)
        return f"{'split' if self.is_split else 'merge'} {names}: {self.reason}"


def wants_normalization(table: TableDescriptor) -> bool:
    return texts_of(table).get(ENABLED, "false").strip().lower() == "true"


def plan(
    table: TableDescriptor,
    regions: Sequence[SizedRegion],
    config: NormalizerConfig,
    now_ms: int,
) -> list[Normalization]:
    """Splits of what has over twice the average, then merges of neighbours that have no more
    than it together.

    ``regions`` are all of the table's, in the order of their keys. The average is what the
    table names as its target, if it names a size or a count. Raises IllegalArgumentError if
    it names one that is no number.
    """
    if not regions:
        return []
    average, whose = _average(table, regions)
    found: list[Normalization] = []
    if config.split_enabled and is_enabled(table, "SPLIT_ENABLED"):
        found += _splits(regions, average, whose)
    if config.merge_enabled and is_enabled(table, "MERGE_ENABLED"):
        found += _merges(regions, average, whose, config, now_ms)
    return found


def _average(table: TableDescriptor, regions: Sequence[SizedRegion]) -> tuple[float, str]:
    size_mb, count = _number(table, TARGET_SIZE_MB), _number(table, TARGET_COUNT)
    if size_mb > 0:
        return float(size_mb * MIB), TARGET_SIZE_MB
    total = sum(one.size_bytes for one in regions)
    if count > 0:
        return total / count, f"size for {TARGET_COUNT} {count}"
    return total / len(regions), "average"


def _number(table: TableDescriptor, key: str) -> int:
    text = texts_of(table).get(key, "-1")
    try:
        return int(text)
    except ValueError:
        raise IllegalArgumentError(f"table {table.name}: {key} cannot be {text!r}") from None


def _splits(regions: Sequence[SizedRegion], average: float, whose: str) -> list[Normalization]:
    return [
        Normalization(
            (one.node,),
            f"{one.size_bytes} bytes are over twice the {whose} of {average:.0f}",
        )
        for one in regions
        if one.size_bytes > _TOO_LARGE * average and _is_ready(one)
    ]


def _merges(
    regions: Sequence[SizedRegion],
    average: float,
    whose: str,
    config: NormalizerConfig,
    now_ms: int,
) -> list[Normalization]:
    if len(regions) < config.merge_regions_min:
        return []
    found: list[Normalization] = []
    run: list[SizedRegion] = []

    def close() -> None:
        if len(run) > 1:
            size = sum(one.size_bytes for one in run)
            reason = f"{size} bytes together are no more than the {whose} of {average:.0f}"
            found.append(Normalization(tuple(one.node for one in run), reason))
        run.clear()

    for one in regions:
        if not _may_merge(one, config, now_ms):
            close()
            continue
        together = sum(other.size_bytes for other in run) + one.size_bytes
        if run and (together > average or len(run) >= config.merge_regions_max):
            close()
        run.append(one)
    close()
    return found


def _may_merge(one: SizedRegion, config: NormalizerConfig, now_ms: int) -> bool:
    return (
        _is_ready(one)
        and not one.node.merge_parents
        and now_ms - one.node.info.region_id >= config.merge_age_s * 1000
        and one.size_bytes >= config.merge_bytes_min
    )


def _is_ready(one: SizedRegion) -> bool:
    return one.node.state == TransitionState.OPEN and not one.has_references
