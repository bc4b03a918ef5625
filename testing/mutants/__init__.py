"""Deliberate bugs, by name: each must be found, or the tests prove nothing (docs/proof.md)."""

from typing import Final

from .availability import AVAILABILITY_MUTANTS
from .cluster import CLUSTER_MUTANTS
from .engine import ENGINE_MUTANTS
from .failover import FAILOVER_MUTANTS
from .mutant import Mutant, Patch
from .procedures import PROCEDURE_MUTANTS
from .sessions import SESSION_MUTANTS

_ALL: Final = (
    *ENGINE_MUTANTS,
    *CLUSTER_MUTANTS,
    *PROCEDURE_MUTANTS,
    *FAILOVER_MUTANTS,
    *SESSION_MUTANTS,
    *AVAILABILITY_MUTANTS,
)
MUTANTS: Final[dict[str, Mutant]] = {one.name: one for one in _ALL}

__all__ = ["MUTANTS", "Mutant", "Patch"]
