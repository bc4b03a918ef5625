"""A whole cluster in one process, on a virtual clock, from one seed (docs/simulation.md)."""

from .ambush import AmbushConfig
from .chaos import ChaosConfig
from .loop import DeadlockError, VirtualTimeoutError
from .simulate import UncaughtError, UnsettledError, simulate
from .simulation import Simulation
from .world import NO_FAULTS, ROUGH, Faults

__all__ = [
    "simulate",
    "Simulation",
    "Faults",
    "NO_FAULTS",
    "ROUGH",
    "ChaosConfig",
    "AmbushConfig",
    "DeadlockError",
    "VirtualTimeoutError",
    "UncaughtError",
    "UnsettledError",
]
