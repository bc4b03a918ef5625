"""What all parts of one simulation share: clock, chance, the rates of faults, the trace."""

from __future__ import annotations

import hashlib
import logging
import random
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from ..errors import RaybaseError
from .loop import Scheduler

if TYPE_CHECKING:
    from .process import SimProcess


@dataclass(frozen=True, slots=True)
class Faults:
    """How often things go wrong; the default is a world in which they do not.

    Every rate is the chance that one operation meets the fault.
    """

    message_slow: float = 0.0
    """A chunk of a connection, or a control call, takes up to ``message_slow_s``."""
    message_slow_s: float = 0.3
    message_split: float = 0.0
    """A chunk arrives in two pieces."""
    connection_stall: float = 0.0
    """A lost packet: the connection stands still for up to 1 s (TCP sends it again)."""
    connection_reset: float = 0.0
    """Both ends lose the connection, and what was under way on it."""
    call_lost: float = 0.0
    """A control call's request never arrives."""
    reply_lost: float = 0.0
    """A control call runs, its reply never arrives."""
    call_doubled: float = 0.0
    """A control call runs twice."""
    disk_slow: float = 0.0
    """A file operation takes up to ``disk_slow_s``."""
    disk_slow_s: float = 0.5
    log_slow: float = 0.0
    """An append to a log takes up to ``disk_slow_s``."""
    write_late: float = 0.0
    """Bytes reach the file only at the end of the operation that writes them."""
    sync_failed: float = 0.0
    """A sync fails; what it should have made durable never will be."""
    read_failed: float = 0.0
    """A read fails with EIO, once."""
    write_failed: float = 0.0
    """An operation that changes files fails with EIO, half done."""
    task_died: float = 0.0
    """The worker of a task dies at some point of it."""
    task_doubled: float = 0.0
    """A task runs twice, the second run perhaps ending after the first."""
    object_lost: float = 0.0
    """An object is gone when asked for."""
    clock_skew_s: float = 0.0
    """A process that begins has a wall clock up to so much fast or slow."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value < 0 or (value > 1 and not one.name.endswith("_s")):
                raise ValueError(f"{one.name} is a chance between 0 and 1, not {value}")


NO_FAULTS: Final = Faults()

ROUGH: Final = Faults(
    message_slow=0.01,
    message_split=0.02,
    connection_stall=0.003,
    connection_reset=0.0005,
    call_lost=0.01,
    reply_lost=0.01,
    call_doubled=0.01,
    disk_slow=0.002,
    write_late=0.1,
    task_died=0.05,
    task_doubled=0.1,
    object_lost=0.05,
    clock_skew_s=3.0,
)
"""Everything at once, at rates under which work still gets done."""


class Trace:
    """The story of a run, line by line, and a digest of all of it.

    Two runs of one seed have equal digests; where they differ, ``lines`` shows from when.
    """

    def __init__(self, clock: Callable[[], float], lines_kept: int | None) -> None:
        self._clock = clock
        self._digest = hashlib.blake2b(digest_size=16)
        self.lines: deque[str] = deque(maxlen=lines_kept)
        self.count = 0

    def add(self, text: str) -> None:
        line = f"{self._clock():.6f} {text}"
        self._digest.update(line.encode())
        self.lines.append(line)
        self.count += 1

    def note(self, text: str) -> None:
        """A line for people, left out of the digest: it may hold what differs between runs."""
        self.lines.append(f"{self._clock():.6f} {text}")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


class TraceHandler(logging.Handler):
    """Puts what the processes log among the lines of the trace."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        name = self._world.scheduler.current_name
        error = record.exc_info[1] if record.exc_info is not None else None
        if error is not None:
            text += "\n" + "".join(traceback.format_exception(error))
        self._world.trace.note(f"{name} logs {record.levelname.lower()} {text}")
        if error is not None and not isinstance(error, RaybaseError | OSError):
            # Caught to be logged, but nothing a cluster should meet.
            self._world.error(f"{name} logs {error!r}")

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Inside the block nothing is logged elsewhere."""
        logger = logging.getLogger("raybase")
        level, propagate = logger.level, logger.propagate
        logger.addHandler(self)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)
            logger.propagate = propagate


class World:
    """Passed to every simulated part.

    ``counts`` names what happened and how often: messages, delays, losses, kills. ``errors``
    collects what no run may contain: exceptions that nobody caught.
    """

    def __init__(self, seed: int, faults: Faults, lines_kept: int | None) -> None:
        self.seed = seed
        self.faults = faults
        self.scheduler = Scheduler()
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self.trace = Trace(lambda: self.scheduler.now_s, lines_kept)
        self.on_failpoint: Callable[[SimProcess, str], None] | None = None
        """Told of every failpoint (process.py) that a process of the cluster reaches."""

    @property
    def now_s(self) -> float:
        return self.scheduler.now_s

    def stream(self, purpose: str) -> random.Random:
        """A source of chance of its own, so that parts do not disturb each other's."""
        return random.Random(f"{self.seed}/{purpose}")

    def error(self, text: str) -> None:
        self.trace.add(f"error {text}")
        self.errors.append(f"{self.now_s:.6f} {text}")
