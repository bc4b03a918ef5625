"""A server that only was slow, while others recover it: it acknowledges nothing they miss."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from ...errors import RaybaseError
from ..simulation import Simulation
from .scenarios import Stage
from .server import CONFIG, SmallServer, read_state, recover

_WRITER: Final = "zombie"
_HEIR: Final = "heir"
_BOUND_S: Final = 60.0
_STEP_S: Final = 0.0001
_WRITES: Final = 60


def delays(count: int = 40) -> range:
    """Numbers for ``problems_of_delay``: the recovery begins a step later with each."""
    return range(count)


def problems_of_delay(number: int) -> list[str]:
    """Recovers a server that goes on writing and rolling its log; what it acknowledged and the
    heir does not have."""
    with Simulation(1000 + number, CONFIG, lines_kept=200) as simulation:
        stage = Stage(simulation, CONFIG, process=_WRITER)
        runtime = simulation.runtime_for(_HEIR)
        problems: list[str] = []

        async def live_on() -> None:
            with suppress(RaybaseError):
                for turn in range(_WRITES):
                    await stage.writer.submit()
                    if turn % 7 == 3:
                        stage.hosted.log.request_roll()
                    await stage.runtime.clock.sleep(_STEP_S)

        async def inherit() -> None:
            await runtime.clock.sleep(number * _STEP_S)
            await recover(runtime)
            heir = SmallServer(runtime, CONFIG)
            await heir.begin()
            hosted = await heir.open()
            state = await read_state(hosted)
            await runtime.clock.sleep(1.0)
            # Only now is it known for sure what the zombie has told its clients.
            ledger = stage.ledger
            _, wrong = ledger.left(state, ledger.acknowledged, ledger.submitted)
            problems.extend([wrong] if wrong else [])

        async def prepare() -> None:
            await stage.begin()
            await stage.writer.write(3)

        simulation.run(prepare(), _BOUND_S, _WRITER)
        living = simulation.start(_WRITER, live_on())
        simulation.run(inherit(), _BOUND_S, _HEIR)
        living.cancel()
        return problems + simulation.errors


def first_problem() -> str:
    """Which delay makes an acknowledged write disappear, and how; "" if none does."""
    for number in delays():
        for problem in problems_of_delay(number):
            return f"recovery begins after {number * _STEP_S * 1000:.1f} ms: {problem}"
    return ""
