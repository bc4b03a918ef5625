"""The coordinator without its I/O: order, repeats, events, expiry; live and replayed."""

from __future__ import annotations

import pickle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.coordination import layout
from raybase.coordination.codec import decode
from raybase.coordination.log_format import decode_snapshot, snapshot_parts
from raybase.coordination.processor import (
    Call,
    CloseCall,
    DeathReport,
    DumpCall,
    HeartbeatCall,
    OpenCall,
    Processor,
    RegistryCall,
    RequestCall,
    Turn,
)
from raybase.coordination.requests import (
    Check,
    Create,
    Delete,
    EventType,
    Exists,
    GetChildren,
    GetData,
    Multi,
    Operation,
    Response,
    SetData,
    WatchKind,
)
from raybase.coordination.state import CoordinatorState
from raybase.errors import (
    BadArgumentsError,
    NodeExistsError,
    NoNodeError,
    SessionExpiredError,
)
from raybase.model import ServerName


class Driver:
    """A processor, a clock by hand, and what it logged."""

    def __init__(self) -> None:
        self.state = CoordinatorState.new("cluster", 0)
        self.first = b"".join(snapshot_parts(self.state))
        self.records: list[bytes] = []
        self.now_s = 0.0
        self.processor = self.begin(self.state)
        self.xids: dict[int, int] = {}
        self.answered = 0
        self.turn = Turn()

    def begin(self, state: CoordinatorState) -> Processor:
        return Processor(state, self.now_s, heartbeat_s=1.0)

    def step(self, *calls: Call, after_s: float = 0.0) -> dict[Any, Any]:
        self.now_s += after_s
        self.turn = self.processor.step(calls, self.now_s, int(self.now_s * 1000))
        self.records += self.turn.records
        self.state.tree.check_invariants()
        return dict(self.turn.answers)

    def idle(self, duration_s: float, alive: tuple[int, ...] = ()) -> list[int]:
        """Time passes in ticks; the sessions that ended."""
        ended = []
        for _ in range(round(duration_s / self.processor.tick_s)):
            beats = [self.beat(one) for one in alive]
            self.step(*beats, after_s=self.processor.tick_s)
            ended += self.turn.ended
        return ended

    def open(self, holder: str = "h", timeout_s: float = 3.0) -> int:
        nonce = len(self.records) + 1000
        session_id = int(self.step(OpenCall("open", holder, nonce, timeout_s))["open"])
        self.xids[session_id] = 0
        return session_id

    def call(self, session_id: int, operation: Operation, seen: int = 0) -> RequestCall:
        """Of a session that has heard every answer so far."""
        self.xids[session_id] += 1
        self.answered += 1
        xid = self.xids[session_id]
        ticket = ("call", session_id, xid)
        return RequestCall(ticket, session_id, xid, seen, self.answered, xid, operation)

    def beat(self, session_id: int, seen: int = 0, ticket: str = "beat") -> HeartbeatCall:
        """Of a session that has heard every answer so far."""
        self.answered += 1
        return HeartbeatCall(ticket, session_id, seen, self.answered)

    def ask(self, session_id: int, operation: Operation, seen: int = 0) -> Response:
        call = self.call(session_id, operation, seen)
        response = self.step(call)[call.ticket]
        assert isinstance(response, Response)
        return response

    def restart(self) -> None:
        """The processor as the files alone would give it back; it must know the same."""
        state = decode_snapshot("snapshot", self.first)
        for data in self.records:
            state.apply(*decode(data))
        assert b"".join(snapshot_parts(state)) == b"".join(snapshot_parts(self.state))
        self.state = state
        self.processor = self.begin(state)


def test_a_repeated_request_has_one_effect_and_one_answer() -> None:
    driver = Driver()
    session = driver.open()
    call = driver.call(session, Create("/a", sequential=True))
    first = driver.step(call)[call.ticket]
    assert driver.step(call)[call.ticket] == first
    assert not driver.turn.records
    driver.restart()
    assert driver.step(call)[call.ticket] == first
    assert driver.ask(session, GetChildren("/")).result == ("a0000000001", "hbase")


def test_a_refusal_is_repeated_even_if_it_would_succeed_now() -> None:
    driver = Driver()
    session, other = driver.open(), driver.open()
    driver.ask(other, Create("/a"))
    call = driver.call(session, Create("/a"))
    assert isinstance(driver.step(call)[call.ticket].error, NodeExistsError)
    driver.ask(other, Delete("/a"))
    driver.restart()
    assert isinstance(driver.step(call)[call.ticket].error, NodeExistsError)


def test_a_multi_that_failed_names_the_operation_also_after_a_restart() -> None:
    driver = Driver()
    session = driver.open()
    call = driver.call(session, Multi((Create("/a"), Check("/a", 0), Delete("/b"), Create("/c"))))
    for _ in range(2):
        error = driver.step(call)[call.ticket].error
        assert isinstance(error, NoNodeError)
        assert error.place == 2
        assert pickle.loads(pickle.dumps(error)).place == 2
        driver.restart()
    assert driver.ask(session, Delete("/b")).error.place is None


def test_requests_are_applied_in_the_order_of_their_xids() -> None:
    driver = Driver()
    session = driver.open()
    calls = [
        RequestCall(xid, session, 1, 0, 0, xid, operation)
        for xid, operation in enumerate(
            [Create("/a", b"1"), SetData("/a", b"2"), GetData("/a"), Delete("/a")], start=1
        )
    ]
    assert driver.step(calls[3], calls[2]) == {}
    assert driver.step(calls[1]) == {}
    answers = driver.step(calls[0])
    assert list(answers) == [1, 2, 3, 4]
    assert all(answer.error is None for answer in answers.values())
    assert answers[3].result[0] == b"2"


def test_what_changes_nothing_is_not_logged_and_goes_on_after_a_restart() -> None:
    driver = Driver()
    session = driver.open()
    driver.ask(session, Create("/a"))
    assert driver.ask(session, GetData("/a")).error is None
    assert driver.ask(session, Exists("/b")).result is None
    assert not driver.turn.records
    driver.restart()
    assert driver.ask(session, Create("/b")).result == "/b"


def test_what_no_log_can_hold_is_refused_and_the_next_request_goes_on() -> None:
    driver = Driver()
    session = driver.open()
    nested: Any = Create("/a")
    for _ in range(40):
        nested = Multi((nested,))
    for bad in (
        nested,
        object(),
        SetData("/", bytearray(3)),
        Delete("/", 2**70),
        Create("/\ud800"),
    ):
        assert isinstance(driver.ask(session, bad).error, BadArgumentsError)
        assert not driver.turn.records
    huge = Multi(tuple(SetData("/hbase", bytes(2**20)) for _ in range(5)))
    assert isinstance(driver.ask(session, huge).error, BadArgumentsError)
    assert driver.ask(session, Create("/a")).error is None
    for nonce, timeout_s in ((2**80, 1.0), (1, 0.0), (1, -1.0), (1, float("nan")), (1, 1e9)):
        answer = driver.step(OpenCall("t", "h", nonce, timeout_s))["t"]
        assert isinstance(answer, BadArgumentsError)
    driver.restart()


def test_a_watch_fires_once_and_its_event_comes_before_the_answer_that_shows_it() -> None:
    driver = Driver()
    watcher, writer = driver.open(), driver.open()
    driver.ask(writer, Create("/a", b"1"))
    driver.ask(watcher, GetData("/a", watch=True))
    driver.ask(writer, SetData("/a", b"2"))
    driver.ask(writer, SetData("/a", b"3"))
    response = driver.ask(watcher, GetData("/a"))
    assert response.result is not None
    assert [(event.number, event.type, event.path) for event in response.events] == [
        (1, EventType.CHANGED, "/a")
    ]
    assert driver.ask(watcher, GetData("/a"), seen=1).events == ()


def test_events_wait_until_they_are_confirmed_also_over_a_restart() -> None:
    driver = Driver()
    watcher, writer = driver.open(), driver.open()
    driver.ask(watcher, Exists("/a", watch=True))
    driver.ask(writer, Create("/a", ephemeral=True))
    driver.ask(watcher, GetData("/a", watch=True))
    driver.restart()
    driver.step(CloseCall("close", writer))
    events = driver.step(driver.beat(watcher))["beat"]
    assert [(event.number, event.type, event.xid) for event in events] == [
        (1, EventType.CREATED, 1),
        (2, EventType.DELETED, 2),
    ]
    driver.restart()
    assert driver.step(driver.beat(watcher, seen=1))["beat"] == events[1:]
    driver.ask(watcher, Create("/b"), seen=2)
    assert driver.state.sessions[watcher].events == []


def test_children_watches_hear_of_births_and_deaths_and_of_the_end() -> None:
    driver = Driver()
    watcher, writer = driver.open(), driver.open()
    driver.ask(writer, Create("/d"))
    heard = []
    for operation in (Create("/d/c"), SetData("/d/c", b"x"), Delete("/d/c"), Delete("/d")):
        driver.ask(watcher, GetChildren("/d", watch=True), seen=len(heard))
        driver.ask(writer, operation)
        response = driver.ask(watcher, Exists("/"), seen=len(heard))
        heard += [(event.type, event.kind) for event in response.events]
    assert heard == [
        (EventType.CHILD, WatchKind.CHILDREN),
        (EventType.CHILD, WatchKind.CHILDREN),
        (EventType.DELETED, WatchKind.CHILDREN),
    ]


def test_a_failed_read_sets_no_watch() -> None:
    driver = Driver()
    session = driver.open()
    for operation in (GetData("/a", watch=True), GetChildren("/a", watch=True)):
        assert isinstance(driver.ask(session, operation).error, NoNodeError)
    assert len(driver.state.watches) == 0


def test_a_heartbeat_is_answered_by_an_event_or_after_its_time() -> None:
    driver = Driver()
    watcher, writer = driver.open(), driver.open()
    driver.ask(watcher, Exists("/a", watch=True))
    assert driver.step(driver.beat(watcher)) == {}
    assert "beat" in driver.step(driver.call(writer, Create("/a")))
    assert driver.step(driver.beat(watcher, seen=1, ticket="idle")) == {}
    assert driver.step(after_s=0.25) == {}
    assert driver.step(after_s=0.25) == {}
    assert driver.step(after_s=0.25) == {"idle": ()}


def test_a_silent_session_ends_with_all_its_znodes_in_one_transaction() -> None:
    driver = Driver()
    silent, watcher = driver.open(timeout_s=2.0), driver.open()
    for name in ("a", "b", "c"):
        driver.ask(silent, Create(f"/{name}", ephemeral=True))
        driver.ask(watcher, Exists(f"/{name}", watch=True))
    assert driver.idle(4.0, alive=(watcher,)) == [silent]
    zxids = {event.zxid for event in driver.state.sessions[watcher].events}
    assert len(zxids) == 1
    answers = driver.step(driver.call(silent, Exists("/")), driver.beat(silent))
    assert [type(answer) for answer in answers.values()] == [SessionExpiredError] * 2
    driver.restart()
    assert driver.idle(10.0, alive=(watcher,)) == []


def test_whoever_waits_is_told_that_the_session_is_over() -> None:
    driver = Driver()
    session = driver.open()
    driver.step(driver.beat(session))
    driver.step(RequestCall("early", session, 1, 0, 1, 2, Create("/a")))
    answers = driver.step(CloseCall("close", session))
    assert isinstance(answers["beat"], SessionExpiredError)
    assert isinstance(answers["early"], SessionExpiredError)
    assert answers["close"] is None
    assert isinstance(driver.step(CloseCall("again", session))["again"], SessionExpiredError)


def test_a_restarted_coordinator_gives_every_session_its_whole_timeout() -> None:
    driver = Driver()
    session = driver.open(timeout_s=3.0)
    driver.idle(2.5)
    driver.restart()
    assert driver.idle(2.5) == []
    assert driver.idle(1.0) == [session]


def test_a_session_that_hears_no_answer_ends_however_often_it_calls() -> None:
    driver = Driver()
    deaf = driver.open(timeout_s=3.0)
    driver.step(HeartbeatCall("heard", deaf, 0, 7))
    ended: list[int] = []
    for xid in range(1, 13):
        request = RequestCall(("request", xid), deaf, 1, 0, 7, xid, Create(f"/n{xid}"))
        assert ended == []
        driver.step(HeartbeatCall("deaf", deaf, 0, 7), request, after_s=0.25)
        ended += driver.turn.ended
    assert ended == [deaf]


def test_one_more_answer_that_arrived_gives_a_session_its_whole_timeout() -> None:
    driver = Driver()
    session = driver.open(timeout_s=3.0)
    driver.idle(2.5)
    driver.step(HeartbeatCall("beat", session, 0, 1))
    driver.step(HeartbeatCall("late", session, 0, 0), after_s=0.25)
    assert driver.idle(2.5) == []
    assert driver.idle(0.25) == [session]


def test_a_request_shows_that_answers_arrive_as_a_heartbeat_does() -> None:
    driver = Driver()
    session = driver.open(timeout_s=3.0)
    for number in range(4):
        assert driver.idle(2.5) == []
        driver.ask(session, Create(f"/n{number}"))
    assert driver.idle(3.0) == [session]


def test_a_heartbeat_is_answered_at_once_when_the_answer_to_the_last_was_lost() -> None:
    driver = Driver()
    session = driver.open()
    assert driver.step(HeartbeatCall("first", session, 0, 1)) == {}
    assert driver.step(HeartbeatCall("again", session, 0, 1)) == {"first": (), "again": ()}
    assert driver.step(HeartbeatCall("next", session, 0, 2)) == {}


def test_a_report_of_death_ends_the_session_in_the_same_turn() -> None:
    driver = Driver()
    session = driver.open()
    driver.step(DeathReport(session), DeathReport(999))
    assert driver.turn.ended == [session]
    driver.step(DeathReport(session))
    assert driver.turn.ended == []


def test_a_report_of_death_counts_also_in_a_late_turn_and_beside_a_heartbeat() -> None:
    driver = Driver()
    session = driver.open()
    answers = driver.step(DeathReport(session), driver.beat(session), after_s=60.0)
    assert driver.turn.ended == [session]
    assert isinstance(answers["beat"], SessionExpiredError)


def test_the_same_nonce_opens_the_same_session() -> None:
    driver = Driver()
    first = driver.step(OpenCall("t", "h", 5, 3.0))["t"]
    driver.restart()
    assert driver.step(OpenCall("t", "h", 5, 3.0))["t"] == first
    assert driver.step(OpenCall("t", "h", 6, 3.0))["t"] != first


def test_session_ids_and_transactions_never_come_again() -> None:
    driver = Driver()
    first = driver.open()
    driver.step(CloseCall("close", first))
    driver.restart()
    assert driver.open() > first


def test_the_registry_tells_who_is_there() -> None:
    driver = Driver()
    session = driver.open()
    master = layout.encode_data(server="m,1,2", process="master-1")
    driver.ask(session, Create(layout.MASTER, master, ephemeral=True))
    server = layout.encode_data(process="rs-1")
    driver.ask(session, Create(f"{layout.REGION_SERVERS}/r,5,6", server, ephemeral=True))
    driver.ask(session, Create(f"{layout.REGION_SERVERS}/nonsense", b"", ephemeral=True))
    registry = driver.step(RegistryCall("r"))["r"]
    assert registry.cluster_id == "cluster"
    assert registry.master == layout.Member(ServerName("m", 1, 2), "master-1")
    assert registry.region_servers == (layout.Member(ServerName("r", 5, 6), "rs-1"),)
    assert registry.meta is None
    dump = driver.step(DumpCall("d"))["d"]
    assert dump["sessions"][0]["ephemerals"] == sorted(dump["sessions"][0]["ephemerals"])
    assert dump["znodes"][layout.MASTER]["data"] == master


NAMES = st.sampled_from(["/a", "/b", "/a/c"])
OPERATIONS = st.one_of(
    st.builds(Create, NAMES, st.binary(max_size=2), st.booleans(), st.booleans()),
    st.builds(Delete, NAMES),
    st.builds(SetData, NAMES, st.binary(max_size=2)),
    st.builds(GetData, NAMES, st.booleans()),
    st.builds(Exists, NAMES, st.booleans()),
    st.builds(GetChildren, NAMES, st.booleans()),
)
ACTIONS = st.lists(
    st.tuples(st.integers(0, 2), OPERATIONS, st.sampled_from(["once", "twice", "restart", "end"])),
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(ACTIONS)
def test_a_restart_at_any_point_changes_no_answer(actions: list[tuple[int, Any, str]]) -> None:
    """One coordinator is restarted here and there, the other never: they say the same."""
    plain, restarted = Driver(), Driver()
    sessions = [(plain.open(), restarted.open()) for _ in range(3)]
    assert all(one == other for one, other in sessions)
    seen = dict.fromkeys((one for one, _ in sessions), 0)
    for index, operation, how in actions:
        session = sessions[index][0]
        if how == "end":
            for driver in (plain, restarted):
                driver.step(CloseCall("close", session))
            continue
        call = plain.call(session, operation, seen[session])
        restarted.xids[session] += 1
        expected = plain.step(call)[call.ticket]
        actual = restarted.step(call)[call.ticket]
        if how == "restart":
            restarted.restart()
        if how in ("twice", "restart"):
            actual = restarted.step(call)[call.ticket]
        if isinstance(expected, Response):
            assert (actual.result, type(actual.error)) == (expected.result, type(expected.error))
            assert actual.events == expected.events
            assert [one.number for one in actual.events] == [
                seen[session] + 1 + place for place in range(len(actual.events))
            ]
            seen[session] += len(actual.events)
        else:
            assert isinstance(actual, SessionExpiredError)
    assert b"".join(snapshot_parts(restarted.state)) == b"".join(snapshot_parts(plain.state))
