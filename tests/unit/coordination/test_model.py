"""The coordinator against ZooKeeper's rules, through restarts and damage at any point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from raybase.coordination.codec import decode
from raybase.coordination.log_format import (
    LogHeader,
    decode_log,
    decode_snapshot,
    encode_batch,
    snapshot_parts,
)
from raybase.coordination.processor import (
    Call,
    CloseCall,
    DeathReport,
    HeartbeatCall,
    OpenCall,
    Processor,
    RequestCall,
    Turn,
)
from raybase.coordination.records import CloseSession, OpenSession
from raybase.coordination.requests import (
    Check,
    Create,
    Delete,
    Exists,
    GetChildren,
    GetData,
    Multi,
    Operation,
    Response,
    SetData,
)
from raybase.coordination.state import CoordinatorState
from raybase.errors import CoordinationError, CorruptionError, SessionExpiredError
from raybase.testing.coordination.model import Model

TICK_S = 0.25
PATHS = st.sampled_from(["/a", "/b", "/a/c", "/a/d"])
VERSIONS = st.sampled_from([-1, -1, 0, 1])
DATA = st.binary(max_size=2)
SINGLE = st.one_of(
    st.builds(Create, PATHS, DATA, st.booleans(), st.booleans()),
    st.builds(Delete, PATHS, VERSIONS),
    st.builds(SetData, PATHS, DATA, VERSIONS),
    st.builds(Check, PATHS, VERSIONS),
)
OPERATIONS = st.one_of(
    SINGLE,
    st.builds(Multi, st.lists(SINGLE, min_size=1, max_size=3).map(tuple)),
    st.builds(GetData, PATHS, st.booleans()),
    st.builds(Exists, PATHS, st.booleans()),
    st.builds(GetChildren, PATHS, st.booleans()),
)
WHO = st.integers(0, 3)
PLACE = st.floats(0, 1, exclude_max=True)


def image_of(state: CoordinatorState) -> bytes:
    return b"".join(snapshot_parts(state))


class Files:
    """A snapshot and the logs since, as bytes; and the state after every batch of them."""

    def __init__(self, state: CoordinatorState) -> None:
        self.snapshot = image_of(state)
        self.logs: list[bytes] = []
        self.states: list[tuple[int, bytes]] = []
        self._writing: Iterator[bytes] | None = None
        self._written: list[bytes] = []
        self.begin_log(state)

    def begin_log(self, state: CoordinatorState) -> None:
        self.logs.append(LogHeader(1, state.zxid).encode())
        self.states = [(len(self.logs[-1]), image_of(state))]

    def append(self, records: list[bytes], cut: float = 1.0) -> bool:
        """False if the batch was cut short and is lost."""
        batch = encode_batch(len(self.logs[-1]), records)
        kept = batch if cut == 1.0 else batch[: int(len(batch) * cut)]
        self.logs[-1] += kept
        return len(kept) == len(batch)

    def roll(self, state: CoordinatorState) -> None:
        self._writing = snapshot_parts(state)
        self._written = [next(self._writing)]
        self.begin_log(state)

    def finish(self) -> None:
        """The snapshot that ``roll`` began, of the state as it was then."""
        if self._writing is not None:
            self.snapshot = b"".join([*self._written, *self._writing])
            self.logs = self.logs[-1:]
            self._writing = None

    def recover(self) -> CoordinatorState:
        """As actors/coordinator_files.py does."""
        state = decode_snapshot("snapshot", self.snapshot)
        for number, data in enumerate(self.logs):
            log = decode_log("log", data)
            if number + 1 < len(self.logs) and log.length != len(data):
                raise CorruptionError("log", log.length, "damage in a log that has a successor")
            if log.header is not None and log.header.zxid != state.zxid:
                raise CorruptionError("log", 0, "a gap")
            for record in log.records:
                state.apply(record)
        return state


class Holder:
    """What the process with the session knows."""

    def __init__(self, session_id: int, now_s: float, timeout_s: float) -> None:
        self.session_id = session_id
        self.timeout_s = timeout_s
        self.deadline_s = now_s + timeout_s
        self.xid = 0
        self.seen = 0
        self.answered = 0
        self.proved = -1
        self.unanswered: dict[int, tuple[RequestCall, Response | None]] = {}
        """Calls whose reply was lost, and what it said."""

    def call(self, operation: Operation, *, lost: bool = False) -> RequestCall:
        self.xid += 1
        xid, session_id = self.xid, self.session_id
        lowest = next(iter(self.unanswered), xid)
        ticket = (session_id, xid)
        call = RequestCall(ticket, session_id, lowest, self.seen, self.answered, xid, operation)
        if lost:
            self.unanswered[xid] = (call, None)
        return call

    def show(self, now_s: float) -> bool:
        """A call arrives: only if it tells of one more answer, the session lasts longer."""
        if self.answered <= self.proved:
            return False
        self.proved = self.answered
        self.deadline_s = now_s + self.timeout_s
        return True


class CoordinatorModel(RuleBasedStateMachine):
    """A processor on files of bytes, its sessions' holders, and what must be true of them."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.nonces = 0
        self.state = CoordinatorState.new("c", 0)
        self.files = Files(self.state)
        self.model = Model("c", 0)
        self.holders: list[Holder] = []
        self.begin()

    def begin(self) -> None:
        self.processor = Processor(self.state, self.now_s, heartbeat_s=1.0)
        for holder in self.holders:
            holder.deadline_s = self.now_s + holder.timeout_s
            holder.proved = -1

    def step(self, *calls: Call, cut: float = 1.0) -> Turn | None:
        """None if the process died before the turn's records were on disk."""
        turn = self.processor.step(calls, self.now_s, int(self.now_s * 1000))
        if turn.records:
            if not self.files.append(turn.records, cut):
                self.restart()
                return None
            self.files.states.append((len(self.files.logs[-1]), image_of(self.state)))
        return turn

    def settle(self, turn: Turn) -> None:
        """Transactions of which no request of a test tells: sessions that begin and end."""
        for data in turn.records:
            (record,) = decode(data)
            assert isinstance(record, OpenSession | CloseSession)
            self.model.apply(record)

    def holder(self, who: int) -> Holder:
        return self.holders[who % len(self.holders)]

    # What sessions do.

    @rule(timeout_s=st.sampled_from([1.0, 3.0]), again=st.booleans())
    def open(self, timeout_s: float, again: bool) -> None:
        self.nonces += 1
        call = OpenCall("open", "h", self.nonces, timeout_s)
        turn = self.step(call)
        assert turn is not None
        self.settle(turn)
        session_id = dict(turn.answers)["open"]
        self.holders.append(Holder(session_id, self.now_s, timeout_s))
        if again:
            repeated = self.step(call)
            assert repeated is not None
            assert dict(repeated.answers)["open"] == session_id
            assert not repeated.records

    @precondition(lambda self: self.holders)
    @rule(asked=st.lists(st.tuples(WHO, OPERATIONS, st.booleans()), min_size=1, max_size=4))
    def ask(self, asked: list[tuple[int, Operation, bool]]) -> None:
        calls = [
            (self.holder(who), self.holder(who).call(one, lost=lost), lost)
            for who, one, lost in asked
        ]
        turn = self.step(*(call for _, call, _ in calls))
        assert turn is not None
        answers = dict(turn.answers)
        records = [one for data in turn.records for one in decode(data)]
        for holder, call, lost in calls:
            response = answers[call.ticket]
            assert isinstance(response, Response)
            operation = call.operation
            if isinstance(operation, GetData | Exists | GetChildren) and not operation.watch:
                expected = self.model.read(operation)
            else:
                record = records.pop(0)
                assert (record.session_id, record.xid) == call.ticket
                assert record.operation == operation
                expected = self.model.apply(record)
            assert response.zxid == self.model.zxid
            self.compare(response, expected)
            if lost:
                holder.unanswered[call.xid] = (call, response)
            holder.show(self.now_s)
        assert records == []
        for holder, call, lost in calls:
            due = self.model.sessions[holder.session_id].due
            events = answers[call.ticket].events
            assert list(events) == due[call.seen :]
            if not lost:
                holder.seen = max(holder.seen, len(due))
                holder.answered += 1

    @staticmethod
    def compare(response: Response, expected: Any) -> None:
        if isinstance(expected, CoordinationError):
            assert type(response.error) is type(expected)
            assert response.error.place == expected.place
        else:
            assert response.error is None
            assert response.result == expected

    @precondition(lambda self: self.holders)
    @rule(who=WHO)
    def repeat(self, who: int) -> None:
        self.repeat_unanswered(self.holder(who))

    def repeat_unanswered(self, holder: Holder) -> None:
        """What was answered and logged is answered again, and has no effect."""
        for xid, (call, before) in list(holder.unanswered.items()):
            turn = self.step(replace(call, answered=holder.answered))
            assert turn is not None
            assert not turn.records
            holder.show(self.now_s)
            operation = call.operation
            if isinstance(operation, GetData | Exists | GetChildren) and not operation.watch:
                self.compare(dict(turn.answers)[call.ticket], self.model.read(operation))
            else:
                response = dict(turn.answers)[call.ticket]
                assert before is not None
                assert (response.zxid, response.result) == (before.zxid, before.result)
                assert type(response.error) is type(before.error)
            del holder.unanswered[xid]
            holder.answered += 1

    @precondition(lambda self: self.holders)
    @rule(who=WHO, lost=st.booleans())
    def beat(self, who: int, lost: bool) -> None:
        """Held if nothing has happened, unless the answer to the last one was lost."""
        holder = self.holder(who)
        beat = HeartbeatCall("beat", holder.session_id, holder.seen, holder.answered)
        turn = self.step(beat)
        assert turn is not None
        due = self.model.sessions[holder.session_id].due[holder.seen :]
        answers = [answer for ticket, answer in turn.answers if ticket == "beat"]
        is_heard = holder.show(self.now_s)
        if due or not is_heard:
            assert list(answers[-1]) == due
            if not lost:
                holder.seen += len(due)
                holder.answered += 1

    @precondition(lambda self: self.holders)
    @rule(who=WHO)
    def close(self, who: int) -> None:
        holder = self.holder(who)
        turn = self.step(CloseCall("close", holder.session_id))
        assert turn is not None
        self.settle(turn)
        self.holders.remove(holder)
        late = self.step(holder.call(Create("/late")), CloseCall("late", holder.session_id))
        assert late is not None
        over = [answer for _, answer in late.answers]
        assert len(over) == 2
        assert all(isinstance(one, SessionExpiredError) for one in over)
        assert not late.records

    @rule(ticks=st.integers(1, 8))
    def wait(self, ticks: int) -> None:
        """Whoever shows for its timeout that no answer reaches it, or nothing at all, ends,
        then and once, and nobody else."""
        for _ in range(ticks):
            self.now_s += TICK_S
            turn = self.step()
            assert turn is not None
            self.settle(turn)
            over = [one for one in self.holders if one.deadline_s <= self.now_s]
            assert sorted(turn.ended) == [one.session_id for one in over]
            self.holders = [one for one in self.holders if one not in over]

    @precondition(lambda self: self.holders)
    @rule(who=WHO)
    def report(self, who: int) -> None:
        """It ends the session, whatever its holder has asked or will."""
        holder = self.holder(who)
        beat = HeartbeatCall("beat", holder.session_id, holder.seen, holder.answered)
        turn = self.step(DeathReport(holder.session_id), beat)
        assert turn is not None
        self.settle(turn)
        assert turn.ended == [holder.session_id]
        assert isinstance(dict(turn.answers)["beat"], SessionExpiredError)
        self.holders.remove(holder)

    # What befalls the coordinator.

    @rule()
    def restart(self) -> None:
        before = self.files.states[-1][1]
        self.state = self.files.recover()
        assert image_of(self.state) == before
        self.files = Files(self.state)
        self.begin()
        for holder in self.holders:
            self.repeat_unanswered(holder)

    @precondition(lambda self: self.holders)
    @rule(who=WHO, operation=OPERATIONS, cut=PLACE)
    def die_while_writing(self, who: int, operation: Operation, cut: float) -> None:
        """Nobody was told of what did not reach the disk whole; asked again, it is done."""
        holder = self.holder(who)
        call = holder.call(operation)
        if self.step(call, cut=cut) is None:
            turn = self.step(replace(call, lowest_xid=call.xid, answered=holder.answered))
            assert turn is not None
            (data,) = turn.records
            (record,) = decode(data)
            self.compare(dict(turn.answers)[call.ticket], self.model.apply(record))
        holder.show(self.now_s)
        holder.answered += 1

    @rule()
    def roll(self) -> None:
        self.files.finish()
        self.files.roll(self.state)

    @rule()
    def prove(self) -> None:
        """A batch of nothing, as a coordinator at rest appends it."""
        assert self.files.append([])
        self.files.states.append((len(self.files.logs[-1]), image_of(self.state)))

    @rule()
    def finish_snapshot(self) -> None:
        self.files.finish()

    @rule(place=PLACE, bit=st.integers(0, 7), cut=st.booleans(), of_snapshot=st.booleans())
    def damage(self, place: float, bit: int, cut: bool, of_snapshot: bool) -> None:
        """Damage is seen; only the very last batch may be taken for one never finished."""
        files = self.files
        intact, at = (files.snapshot, list(files.logs)), 0
        before = files.snapshot if of_snapshot else files.logs[-1]
        at = int(len(before) * place)
        damaged = bytearray(before)
        if cut:
            del damaged[at:]
        else:
            damaged[at] ^= 1 << bit
        if of_snapshot:
            files.snapshot = bytes(damaged)
        else:
            files.logs[-1] = bytes(damaged)
        try:
            self.recover_damaged(at, cut, of_snapshot)
        finally:
            files.snapshot, files.logs = intact

    def recover_damaged(self, at: int, cut: bool, of_snapshot: bool) -> None:
        ends = [length for length, _ in self.files.states]
        last = ends[-2] if len(ends) > 1 else 0
        if of_snapshot or (not cut and at < last):
            with pytest.raises(CorruptionError):
                self.files.recover()
            return
        survived = [image for length, image in self.files.states if length <= at]
        expected = survived[-1] if survived else self.files.states[0][1]
        assert image_of(self.files.recover()) == expected

    # What is always true.

    @invariant()
    def the_state_is_the_models(self) -> None:
        self.state.tree.check_invariants()
        tree = {path: (znode.data, self.state.tree.stat(path)) for path, znode in self.state.tree}
        assert tree == {
            path: (node.data, self.model.stat(path)) for path, node in self.model.nodes.items()
        }
        watches = {(owner, kind, path): xid for owner, kind, path, xid in self.state.watches}
        assert watches == self.model.watches
        living = {one for one, session in self.model.sessions.items() if not session.ended}
        assert set(self.state.sessions) == living
        for session_id, session in self.state.sessions.items():
            due = self.model.sessions[session_id].due
            assert session.events_made == len(due)
            assert session.events == due[len(due) - len(session.events) :]


TestCoordinatorModel = CoordinatorModel.TestCase
TestCoordinatorModel.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@pytest.mark.long
def test_the_coordinator_is_its_model_in_many_more_histories() -> None:
    many = settings(max_examples=1500, stateful_step_count=60, deadline=None)
    run_state_machine_as_test(CoordinatorModel, settings=many)
