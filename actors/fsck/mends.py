"""What is safe to mend, by which invariant; and what is not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .finding import Finding, Kind


class Act(StrEnum):
    """One way to mend. Each looks again at what it is about before it changes anything, and
    done a second time it changes nothing."""

    ASSIGN = "assign"
    """A procedure opens the region, wherever its manifest says that it belongs."""
    RECOVER = "recover"
    """A procedure fences and splits a dead server's logs."""
    ADOPT = "adopt"
    """A procedure puts a region that has a manifest back into hbase:meta and opens it."""
    ARCHIVE = "archive"
    """Files that no manifest names go to the archive, which keeps them for its time to live."""
    PUT_BACK = "put back"
    """A file that a manifest names returns from the archive."""


@dataclass(frozen=True, slots=True)
class Mend:
    """``why`` names the invariant that makes it right."""

    act: Act
    why: str


_ASSIGN: Final = Mend(
    Act.ASSIGN,
    "I2: its manifest says whose it is, and whoever opens it must become its owner there",
)
_RECOVER: Final = Mend(
    Act.RECOVER,
    "I1: fenced logs do not change any more, and splitting them twice is splitting once",
)
_ARCHIVE: Final = Mend(
    Act.ARCHIVE, "I6: no manifest of any region names it, and the archive still has it"
)

MENDS: Final[dict[Kind, Mend]] = {
    Kind.NOT_OPEN: _ASSIGN,
    Kind.NOT_SERVED: _ASSIGN,
    Kind.OWNER_DEAD: _ASSIGN,
    Kind.OWNER_DIFFERS: _ASSIGN,
    Kind.LOG_UNSPLIT: _RECOVER,
    Kind.LOG_EMPTY: _RECOVER,
    Kind.REGION_UNKNOWN: Mend(
        Act.ADOPT, "I2: no other region holds a row of its range, and its manifest has its files"
    ),
    Kind.FILE_ARCHIVED: Mend(Act.PUT_BACK, "I6: a manifest names it, so it should never have gone"),
    Kind.FILE_UNUSED: _ARCHIVE,
    Kind.REGION_UNUSED: _ARCHIVE,
}
ON_FILES: Final = (Act.ARCHIVE, Act.PUT_BACK)
"""What can be done without a master."""

_REFUSALS: Final[dict[Kind, str]] = {
    Kind.META_UNREADABLE: "what hbase:meta says is needed for everything else; `raybase status` "
    "says what it waits for, and damaged files of it have to come from a backup",
    Kind.HOLE: "nobody knows which rows were there; if you accept that there are none, close it "
    "with the shell's `merge_region 'left', 'right', true`",
    Kind.OVERLAP: "two regions claim the same rows, and which of them is right is for you to say",
    Kind.DAUGHTER_UNKNOWN: "without a manifest it would be opened empty; if its directory has one, "
    "it is mended as a region missing from hbase:meta",
    Kind.SERVED_TWICE: "one of them has lost its manifest and ends itself before it answers; look "
    "again in a few seconds",
    Kind.SERVED_UNKNOWN: "it is not closed, for its rows may be wanted; if its range is free, it "
    "is mended as a region missing from hbase:meta",
    Kind.NO_MANIFEST: "opening it would make it empty; bring its directory back from a backup",
    Kind.MANIFEST_DAMAGED: "an older version may lack files that it had; bring this one back from "
    "a backup",
    Kind.MANIFEST_DIFFERS: "somebody has put another region's directory there",
    Kind.FILE_MISSING: "its bytes are nowhere; bring it back from a backup, to this very path",
    Kind.FILE_DAMAGED: "nothing of it is dropped; bring it back from a backup, to this very path",
    Kind.REFERENCE_ORPHANED: "the file stays while it is named; a major compaction of the region "
    "ends the reference",
    Kind.LOG_DAMAGED: "what follows the damage would be lost; bring it back from a backup",
    Kind.LOG_NEEDED: "flush the region: then its edits are in a file",
    Kind.COORDINATOR_DAMAGED: "nothing of it is dropped; bring it back from a backup, and do not "
    "remove it: later masters would begin with epochs that regions have left behind",
    Kind.PROCEDURES_DAMAGED: "a change that was half made would be forgotten; bring the file back "
    "from a backup, to this very path",
    Kind.PROCEDURE_UNREADABLE: "no master can begin with it; start the version of raybase that "
    "stored it, and let it come to its end there",
    Kind.PROCEDURE_STRAY: "it is never cut short: it finds nothing to do, and ends",
    Kind.TABLE_UNKNOWN: "if the table was deleted, these are left-overs that you may remove; if "
    "not, hbase:meta has lost the table",
}
_NEEDS_MASTER: Final = "a master has to do it: start the cluster, then repair"


def mend_of(finding: Finding) -> Mend | None:
    """None: it is not touched, and ``refusal_of`` says why."""
    return MENDS.get(finding.kind)


def refusal_of(finding: Finding, *, stopped: bool = False) -> str:
    """Why it was left as it is. ``stopped``: there is no master to ask."""
    mend = mend_of(finding)
    if mend is not None and stopped and mend.act not in ON_FILES:
        return _NEEDS_MASTER
    return _REFUSALS.get(finding.kind, "it was there again after it had been mended")
