"""Deliberate bugs, by name: each must be found, or the tests prove nothing (docs/proof.md)."""

from typing import Final

from .cluster import CLUSTER_MUTANTS
from .engine import ENGINE_MUTANTS
from .mutant import Mutant, Patch

MUTANTS: Final[dict[str, Mutant]] = {one.name: one for one in (*ENGINE_MUTANTS, *CLUSTER_MUTANTS)}

__all__ = ["MUTANTS", "Mutant", "Patch"]
