"""A whole cluster in one process, on a virtual clock, from one seed."""

from .loop import DeadlockError, VirtualTimeoutError
from .simulation import Simulation
from .world import NO_FAULTS, ROUGH, Faults

__all__ = [
    "Simulation",
    "Faults",
    "NO_FAULTS",
    "ROUGH",
    "DeadlockError",
    "VirtualTimeoutError",
]
