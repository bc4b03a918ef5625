"""10,000 znodes and 1,000 watches: what one coordinator carries without strain."""

from __future__ import annotations

from raybase.coordination.log_format import decode_snapshot, encode_batch, snapshot_parts
from raybase.coordination.processor import HeartbeatCall, OpenCall, Processor, RequestCall
from raybase.coordination.requests import Create, Exists, GetChildren, Operation, SetData
from raybase.coordination.state import CoordinatorState

ZNODES = 10_000
WATCHERS = 100
WATCHES_EACH = 10


def test_ten_thousand_znodes_and_a_thousand_watches() -> None:
    processor = Processor(CoordinatorState.new("c", 0), 0.0, heartbeat_s=1.0)
    opens = [OpenCall(number, f"h{number}", number, 1e3) for number in range(WATCHERS + 1)]
    writer, *watchers = dict(processor.step(opens, 0.1, 0).answers).values()
    xids = dict.fromkeys([writer, *watchers], 0)

    def ask(session_id: int, operation: Operation) -> RequestCall:
        xids[session_id] += 1
        xid = xids[session_id]
        return RequestCall(None, session_id, xid, 0, xid, xid, operation)

    log = bytearray()
    for hundred in range(ZNODES // 100):
        above = f"/d{hundred}"
        calls = [ask(writer, Create(above))]
        calls += [ask(writer, Create(f"{above}/n{number}", b"x" * 50)) for number in range(99)]
        turn = processor.step(calls, 0.2, 0)
        assert all(response.error is None for _, response in turn.answers)
        log += encode_batch(len(log), turn.records)
    watched = [f"/d{number % 100}/n{number // 100}" for number in range(WATCHES_EACH * WATCHERS)]
    calls = [
        ask(watchers[number % WATCHERS], Exists(path, watch=True))
        for number, path in enumerate(watched)
    ]
    calls += [ask(one, GetChildren("/", watch=True)) for one in watchers]
    processor.step(calls, 0.3, 0)
    assert len(processor.state.watches) == len(calls)
    # Every watcher waits in a heartbeat; then everything that is watched changes at once.
    processor.step([HeartbeatCall(one, one, 0, 1_000) for one in watchers], 0.4, 0)
    changes = [ask(writer, SetData(path, b"y")) for path in watched]
    turn = processor.step([*changes, ask(writer, Create("/one-more"))], 0.5, 0)
    events = {ticket: answer for ticket, answer in turn.answers if ticket is not None}
    assert list(events) == watchers
    assert all(len(heard) == WATCHES_EACH + 1 for heard in events.values())
    assert len(processor.state.watches) == 0
    image = b"".join(snapshot_parts(processor.state))
    restored = decode_snapshot("snapshot", image)
    assert len(restored.tree) == ZNODES + 7
    assert len(log) < 2 * 1024 * 1024
    assert len(image) < 2 * 1024 * 1024
