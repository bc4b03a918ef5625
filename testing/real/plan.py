"""What is to happen, and in which order: all of it from the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class FaultKind(StrEnum):
    """The words are what the report says."""

    KILL_BUSIEST = "kill -9 of the busiest server"
    KILL_META_HOLDER = "kill -9 of the server of hbase:meta"
    KILL_MASTER = "kill -9 of the active master"
    KILL_COORDINATOR = "kill -9 of the coordinator"
    KILL_TWO = "kill -9 of two servers at once"
    KILL_IN_RECOVERY = "kill -9 of a server while another is recovered"
    PAUSE_SERVER = "SIGSTOP of a server, within its session"
    PAUSE_SERVER_LONG = "SIGSTOP of a server, past its session"
    PAUSE_MASTER = "SIGSTOP of the active master, past its session"
    PAUSE_COORDINATOR = "SIGSTOP of the coordinator"
    STOP_RAYLET = "SIGSTOP of a raylet until Ray gives its node up"
    LOSE_NODE = "loss of a node"
    IN_PROCEDURE = "kill -9 inside a procedure"


EACH_MINUTES: Final = 4
"""Each kind happens once for so many minutes, and once at least."""
_ALL_PROCEDURES_MINUTES: Final = 8
_SHORT_PROCEDURES: Final = ("split", "merge", "move")


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault; ``procedure`` names the kind inside which it shall fall."""

    kind: FaultKind
    procedure: str = ""


def make_plan(minutes: float, procedures: Sequence[str], chance: Random) -> list[Planned]:
    """Faults in the order in which they strike.

    From eight minutes on one falls inside each kind of procedure, below inside a split, a merge
    and a move.
    """
    times = max(1, int(minutes // EACH_MINUTES))
    plain = [one for one in FaultKind if one is not FaultKind.IN_PROCEDURE]
    plan = [Planned(kind) for kind in plain for _ in range(times)]
    wanted = list(procedures) if minutes >= _ALL_PROCEDURES_MINUTES else list(_SHORT_PROCEDURES)
    plan += [Planned(FaultKind.IN_PROCEDURE, one) for one in wanted]
    chance.shuffle(plan)
    return plan
