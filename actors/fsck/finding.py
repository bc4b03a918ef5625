"""Finding: one thing that fsck found not to be as it should."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What is not as it should be; the words are what is printed."""

    META_UNREADABLE = "hbase:meta cannot be read"
    HOLE = "hole in the key space"
    OVERLAP = "overlap in the key space"
    REGION_UNKNOWN = "region missing from hbase:meta"
    DAUGHTER_UNKNOWN = "daughter missing from hbase:meta"
    NOT_OPEN = "region not open"
    NOT_SERVED = "region served by nobody"
    SERVED_TWICE = "region served twice"
    SERVED_UNKNOWN = "unknown region served"
    OWNER_DEAD = "region of a dead server"
    OWNER_DIFFERS = "two owners of a region"
    NO_MANIFEST = "region without a manifest"
    MANIFEST_DAMAGED = "damaged manifest"
    MANIFEST_DIFFERS = "manifest of another region"
    FILE_MISSING = "missing file"
    FILE_ARCHIVED = "needed file in the archive"
    FILE_DAMAGED = "damaged file"
    REFERENCE_ORPHANED = "reference to an unknown region"
    LOG_UNSPLIT = "log of a dead server not split"
    LOG_DAMAGED = "damaged log"
    LOG_NEEDED = "log archived too early"
    COORDINATOR_DAMAGED = "damaged files of the coordinator"
    PROCEDURES_DAMAGED = "damaged procedure store"
    PROCEDURE_UNREADABLE = "procedure that cannot be read"
    PROCEDURE_STRAY = "procedure about what is not there"
    FILE_UNUSED = "file nobody refers to"
    REGION_UNUSED = "region directory nobody needs"
    TABLE_UNKNOWN = "files of an unknown table"
    LOG_EMPTY = "empty log of a dead server"

    @property
    def is_garbage(self) -> bool:
        """Harmless: it takes room and breaks no invariant."""
        return self in _GARBAGE


_GARBAGE: Final = (
    Kind.PROCEDURE_STRAY,
    Kind.FILE_UNUSED,
    Kind.REGION_UNUSED,
    Kind.TABLE_UNKNOWN,
    Kind.LOG_EMPTY,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject`` is what it is about, for whoever mends it: a path, a region's encoded name,
    or a server; ``text`` is a sentence for people."""

    kind: Kind
    subject: str
    text: str


@dataclass(slots=True)
class Report:
    """What one look found, and how much it looked at."""

    findings: list[Finding] = field(default_factory=list)
    regions: int = 0
    files: int = 0
    cells: int = 0

    def add(self, kind: Kind, subject: str, text: str) -> None:
        self.findings.append(Finding(kind, subject, text))

    @property
    def problems(self) -> list[str]:
        """Sentences about what breaks an invariant."""
        return [one.text for one in self.findings if not one.kind.is_garbage]

    @property
    def garbage(self) -> list[str]:
        """What nobody needs: paths, mostly."""
        return [one.subject for one in self.findings if one.kind.is_garbage]

    def keep(self, found_before: Iterable[Finding]) -> None:
        """Drops what an earlier look did not find: a cluster at work is never quite still."""
        known = {(one.kind, one.subject) for one in found_before}
        self.findings = [one for one in self.findings if (one.kind, one.subject) in known]
