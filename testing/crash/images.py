"""Crash images: what the disk could hold if the power went off at each call of an operation.

A scenario prepares a region, and then does one operation. Before every mutating call of it,
and after the last, the disk is copied in several ways: nothing of what was not synced is left,
all of it is, or each thing has a fate of its own. Every different copy is started up by the
real recovery, and must hold what was acknowledged and what had been read.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..disk import Disk, Fate
from ..sites import call_site

AFTER: Final = "after the last call"
_FATES: Final = (Fate.NOTHING, Fate.EVERYTHING)


@dataclass(frozen=True, slots=True)
class Image:
    """A disk after a crash, and what was known outside of it at that moment."""

    site: str
    call: str
    disk: Disk
    lowest: int
    """All steps up to this one were acknowledged, or seen by a reader."""
    highest: int
    """Steps after this one had not begun."""
    told: Any
    """All that the scenario wrote and was told, then and later."""


class Camera:
    """Takes images of a disk at every mutating call while it is on.

    Args:
        disk: the disk.
        seed: chooses the fates.
        copies: how many copies to draw at each call; those that are alike count once.
        calls_max: how many calls of one site have their images taken; 0: all.
        known: tells (lowest, highest) of the steps that may be found.
        told: goes with every image.
    """

    def __init__(
        self,
        disk: Disk,
        seed: int,
        copies: int,
        known: Callable[[], tuple[int, int]],
        told: Any,
        calls_max: int = 0,
    ) -> None:
        self._disk = disk
        self._chance = random.Random(f"camera {seed}")
        self._copies = copies
        self._known = known
        self._told = told
        self._calls_max = calls_max
        self._taken = 0
        self.images: list[Image] = []
        self.calls: Counter[str] = Counter()
        """Call site -> number of calls."""

    def start(self) -> None:
        self._disk.on_call = self._before

    def stop(self) -> None:
        """Takes the images after the last call."""
        self._disk.on_call = None
        self._take(AFTER, AFTER)

    def _before(self, call: str) -> None:
        site = call_site(call)
        self.calls[site] += 1
        if not self._calls_max or self.calls[site] <= self._calls_max:
            self._take(site, call)

    def _take(self, site: str, call: str) -> None:
        lowest, highest = self._known()
        self._taken += 1
        seen: dict[bytes, None] = {}
        for fate in self._fates():
            disk = self._disk.image(self._chance, fate)
            print_ = fingerprint(disk)
            if print_ not in seen:
                seen[print_] = None
                self.images.append(Image(site, call, disk, lowest, highest, self._told))

    def _fates(self) -> list[Fate]:
        """Both extremes and chance for the rest; a single copy has each in turn."""
        fates = [*_FATES, *(Fate.CHANCE,) * max(self._copies - len(_FATES), 1)]
        turn = self._taken % len(fates) if self._copies < len(fates) else 0
        return [*fates[turn:], *fates[:turn]][: self._copies]


def fingerprint(disk: Disk) -> bytes:
    """Equal for disks with equal names and bytes, left-overs of unfinished writes included."""
    digest = hashlib.blake2b(digest_size=16)
    for path, node in disk.walk():
        digest.update(f"{path}\0{len(node.data)}\0".encode())
        digest.update(node.data)
    return digest.digest()


@dataclass(slots=True)
class Row:
    """One line of the table: a call site within an operation."""

    operation: str
    site: str
    calls: int = 0
    images: int = 0
    problems: list[str] = field(default_factory=list)


class Scenario(Protocol):
    """One operation under the camera."""

    @property
    def name(self) -> str: ...

    @property
    def sites(self) -> tuple[str, ...]:
        """The call sites at which images must be taken, and no others."""
        ...

    @property
    def copies(self) -> int:
        """To be drawn at each call in a usual run."""
        ...

    @property
    def seeds(self) -> int:
        """To be run through in a usual run."""
        ...

    def shoot(self, seed: int, copies: int, *, thorough: bool = False) -> Camera:
        """Does the operation once, on a fresh disk. ``thorough``: with images of every call also
        where a usual run leaves it at some of each site."""
        ...

    def reopen(self, image: Image, seed: int) -> list[str]:
        """Starts up from an image and checks it. The problems; empty if all is well."""
        ...


def develop(
    scenario: Scenario, seeds: Iterable[int], copies: int, *, thorough: bool = False
) -> list[Row]:
    """The rows of one scenario, with every image reopened and checked."""
    rows = {site: Row(scenario.name, site) for site in (*scenario.sites, AFTER)}
    for seed in seeds:
        camera = scenario.shoot(seed, copies, thorough=thorough)
        for site, calls in camera.calls.items():
            rows.setdefault(site, Row(scenario.name, site)).calls += calls
        for number, image in enumerate(camera.images):
            row = rows.setdefault(image.site, Row(scenario.name, image.site))
            row.images += 1
            for problem in scenario.reopen(image, 1_000_000 + seed * 10_000 + number):
                row.problems.append(f"seed {seed}, before {image.call!r}: {problem}")
    for site, row in rows.items():
        if site not in scenario.sites and site != AFTER:
            row.problems.append("this call site is not expected: add it to the scenario's sites")
    return list(rows.values())


def failures(rows: list[Row]) -> Iterator[str]:
    """What makes a table fail: a problem of an image, or a row without an image."""
    for row in rows:
        if not row.images:
            yield f"{row.operation}: {row.site}: no image was taken"
        for problem in row.problems:
            yield f"{row.operation}: {row.site}: {problem}"
