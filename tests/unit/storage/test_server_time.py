"""Timestamps that the server gives never go back, whatever clocks and clients say."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raybase.model import Durability
from raybase.operations import Append, Condition, Delete, Get, Increment, Put
from raybase.operations import CompareOperator as Operator
from raybase.storage import wal

HOUR_MS = 3_600_000
START_MS = 1_000 * HOUR_MS
steps = st.lists(
    st.one_of(
        st.sampled_from(["put", "put", "append", "increment", "check", "delete", "skip_wal"]),
        st.sampled_from(["client_future", "client_past", "flush", "crash", "move"]),
        st.sampled_from([-HOUR_MS, -1, 0, 1, HOUR_MS]),
    ),
    max_size=30,
)


class Server:
    """A region under a clock that is set back and forth, with one column to write to."""

    def __init__(self, make_engine: Any) -> None:
        self.make_engine = make_engine
        self.engine = make_engine()
        self.engine.now_ms = START_MS
        self.last_ms = 0
        self.lasting_ms = 0
        """The last time given to what a crash does not take away."""
        self.counter = 0

    def given(self, mutation: Any, condition: Any = None) -> None:
        """Applies it, and notes the time that the server gave it."""
        if condition is None and mutation.kind in ("put", "delete"):
            self.engine.write(mutation)
        else:
            self.engine.modify(mutation, condition=condition)
        assert self.engine.region.clock_ms >= self.last_ms
        self.last_ms = self.engine.region.clock_ms
        if mutation.durability != Durability.SKIP_WAL:
            self.lasting_ms = self.last_ms

    def put(self) -> None:
        self.counter += 1
        value = b"%08d" % self.counter
        self.given(Put(b"r").add(b"f", b"q", value))
        (stamp,) = self.engine.get(Get(b"r", {b"f": (b"q",)})).timestamps
        assert stamp == self.last_ms
        assert self.engine.value(b"r") == value

    def skip_wal(self) -> None:
        self.given(Put(b"r", durability=Durability.SKIP_WAL).add(b"f", b"s", b""))

    def append(self) -> None:
        self.given(Append(b"r").add(b"f", b"a", b"x"))

    def increment(self) -> None:
        self.given(Increment(b"r").add(b"f", b"n", 1))

    def check(self) -> None:
        never = Condition(b"r", b"f", b"none", Operator.EQUAL, None)
        self.given(Put(b"r").add(b"f", b"c", b""), never)

    def delete(self) -> None:
        """What is put right after it is seen, though the clock stands still."""
        self.given(Delete(b"r").column(b"f", b"q"))
        assert self.engine.value(b"r") is None
        self.put()

    def client_future(self) -> None:
        before = self.engine.region.clock_ms
        self.engine.write(Put(b"r").add(b"f", b"other", b"", START_MS + 999 * HOUR_MS))
        assert self.engine.region.clock_ms <= max(before + 1, self.engine.now_ms)

    def client_past(self) -> None:
        self.engine.write(Put(b"r").add(b"f", b"other", b"", 1))

    def flush(self) -> None:
        if self.engine.flush():
            self.engine.log.clear()  # what is in files the log need not keep
            self.lasting_ms = self.last_ms

    def crash(self) -> None:
        self.engine.open()
        self.last_ms = self.lasting_ms

    def move(self) -> None:
        """To another server, whose clock is its own: files and last edits go with it."""
        source = self.engine
        records = list(source.region.memstore_records())
        closing = source.region.next_manifest()
        self.engine = self.make_engine()
        self.engine.now_ms = source.now_ms
        self.engine.disk, self.engine.files_written = source.disk, source.files_written
        self.engine.manifest, self.engine.log = closing, records
        self.engine.open()
        stamps = [wal.decode_record(one).clock_ms for one in records]
        assert stamps == [source.region.clock_ms] * len(records)
        assert self.engine.region.clock_ms == source.region.clock_ms
        self.lasting_ms = self.last_ms


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_server_timestamps_of_a_row_never_go_back(make_engine: Any, story: list[Any]) -> None:
    server = Server(make_engine)
    for step in story:
        if isinstance(step, int):
            server.engine.now_ms += step
        else:
            getattr(server, step)()
    server.put()
