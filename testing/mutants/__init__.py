"""Deliberate bugs, by name: each must be found, or the tests prove nothing (docs/proof.md)."""

from typing import Final

from .cluster import CLUSTER_MUTANTS
from .engine import ENGINE_MUTANTS
from .mutant import Mutant, Patch
from .procedures import PROCEDURE_MUTANTS

MUTANTS: Final[dict[str, Mutant]] = {
    one.name: one for one in (*ENGINE_MUTANTS, *CLUSTER_MUTANTS, *PROCEDURE_MUTANTS)
}

__all__ = ["MUTANTS", "Mutant", "Patch"]
