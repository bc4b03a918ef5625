"""runtime.Network in memory: real frames as bytes, over connections that delay, stall and break.

A connection delivers in order or breaks, as TCP does. What a process wrote before it died
still arrives; what was written into a cut link arrives when the link heals, or never.
"""

from __future__ import annotations

import asyncio
import errno
import os
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from .process import SimProcess
from .world import World

_DELAY_S: Final = (0.00005, 0.0005)
_CONNECT_TIMEOUT_S: Final = 10.0
_FIRST_PORT: Final = 40_000
_HIGH_WATER: Final = 64 * 1024


class Fabric:
    """All listeners, connections and cut links of a simulation."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.stream("network")
        self.listeners: dict[tuple[str, int], SimListener] = {}
        self.connections: list[tuple[SimTransport, SimTransport]] = []
        self._cut: set[tuple[str, str]] = set()
        self._lost: set[tuple[str, str]] = set()
        self._isolated: set[str] = set()
        self._waiting: list[tuple[str, str, Callable[[], None]]] = []
        self._next_port = _FIRST_PORT

    def free_port(self) -> int:
        self._next_port += 1
        return self._next_port - 1

    def cut(self, sender: str, receiver: str, *, for_good: bool = False) -> None:
        """Nothing from one process reaches the other, until ``heal``; or never again."""
        (self._lost if for_good else self._cut).add((sender, receiver))

    def is_cut(self, sender: str, receiver: str) -> bool:
        link = (sender, receiver)
        return link in self._cut or link in self._lost or not self._isolated.isdisjoint(link)

    def isolate(self, name: str) -> None:
        """Nothing from or to the process gets through any more, until ``heal``."""
        self._isolated.add(name)

    def mend(self, one: str, other: str) -> None:
        """The link carries again, both ways, and what waited in it is sent once more."""
        self._cut -= {(one, other), (other, one)}
        waiting, self._waiting = self._waiting, []
        for sender, receiver, action in waiting:
            if self.is_cut(sender, receiver):
                self._waiting.append((sender, receiver, action))
            else:
                action()

    def heal(self) -> None:
        """All links carry again but those that are cut for good."""
        self._cut.clear()
        self._isolated.clear()
        self.mend("", "")

    def when_healed(self, sender: str, receiver: str, action: Callable[[], None]) -> None:
        self._waiting.append((sender, receiver, action))

    def delay_s(self) -> float:
        faults, delay_s = self.world.faults, self.random.uniform(*_DELAY_S)
        if self.happens(faults.message_slow, "messages delayed"):
            delay_s += self.random.uniform(0, faults.message_slow_s)
        return delay_s

    def happens(self, rate: float, what: str) -> bool:
        if rate and self.random.random() < rate:
            self.world.counts[what] += 1
            return True
        return False

    def reset_some(self, share: float) -> None:
        """Breaks this share of all connections now."""
        for pair in list(self.connections):
            if self.random.random() < share:
                self.world.counts["connections reset"] += 1
                for end in pair:
                    end.break_off(ConnectionResetError(errno.ECONNRESET, "reset"))


class SimListener:
    """runtime.Listener."""

    def __init__(
        self,
        fabric: Fabric,
        process: SimProcess,
        factory: Callable[[], asyncio.Protocol],
        address: tuple[str, int],
    ) -> None:
        self.factory = factory
        self.process = process
        self.address = address
        self._fabric = fabric

    @property
    def port(self) -> int:
        return self.address[1]

    async def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        if self._fabric.listeners.get(self.address) is self:
            del self._fabric.listeners[self.address]


class SimNetwork:
    """The network as one process sees it."""

    def __init__(self, process: SimProcess, fabric: Fabric) -> None:
        self._process = process
        self._fabric = fabric

    async def listen(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> SimListener:
        address = (host, port or self._fabric.free_port())
        if address in self._fabric.listeners:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        if not self._process.alive:
            await self._process.never()
        listener = SimListener(self._fabric, self._process, factory, address)
        self._fabric.listeners[address] = listener
        self._process.on_death.append(listener.drop)
        return listener

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        fabric, process = self._fabric, self._process
        if not process.alive:
            await process.never()
        await process.sleep(fabric.delay_s())
        listener = fabric.listeners.get((host, port))
        if listener is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens on {host}:{port}")
        await self._reach(listener.process.name, f"{host}:{port}")
        listener = fabric.listeners.get((host, port))
        if listener is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens on {host}:{port}")
        fabric.world.trace.add(f"{process.name} connects to {listener.process.name}")
        near_port = fabric.free_port()
        near = SimTransport(fabric, process, (host, near_port), (host, port))
        far = SimTransport(fabric, listener.process, (host, port), (host, near_port))
        near.join(far)
        protocol = factory()
        near.set_protocol(protocol)
        accepted = listener.factory
        far.process.loop.call_later(fabric.delay_s(), lambda: far.begin(accepted()))
        near.begin(protocol)
        return near, protocol

    async def _reach(self, name: str, place: str) -> None:
        waited_s = 0.0
        while self._fabric.is_cut(self._process.name, name) or self._fabric.is_cut(
            name, self._process.name
        ):
            if waited_s >= _CONNECT_TIMEOUT_S:
                raise TimeoutError(errno.ETIMEDOUT, f"no answer from {place}")
            await self._process.sleep(1.0)
            waited_s += 1.0


class SimTransport(asyncio.Transport):
    """One end of a connection."""

    def __init__(
        self,
        fabric: Fabric,
        process: SimProcess,
        own_address: tuple[str, int],
        peer_address: tuple[str, int],
    ) -> None:
        super().__init__({"sockname": own_address, "peername": peer_address, "socket": None})
        self.process = process
        self._fabric = fabric
        self._world = fabric.world
        self._protocol: asyncio.Protocol | None = None
        self._peer: SimTransport = self
        self._begun = False
        self._reading = True
        self._received: list[bytes] = []
        self._received_end = False
        self._closing = False
        self.lost = False
        self._in_flight = 0
        self._arrival_s = 0.0
        self._high = _HIGH_WATER
        self._low = _HIGH_WATER // 4
        self._protocol_paused = False

    def join(self, peer: SimTransport) -> None:
        """Makes the two ends one connection."""
        self._peer, peer._peer = peer, self
        self._fabric.connections.append((self, peer))
        self.process.on_death.append(self._die)
        peer.process.on_death.append(peer._die)

    def begin(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self._begun = True
        if self.lost:
            return
        protocol.connection_made(self)
        self._deliver()

    # asyncio.Transport

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        if not isinstance(protocol, asyncio.Protocol):
            raise TypeError("the simulated network carries asyncio.Protocol only")
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing or self.lost

    def is_reading(self) -> bool:
        return self._reading and not self.is_closing()

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self.process.loop.call_soon(self._deliver)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        self._high = high
        self._low = high // 4 if low is None else low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return self._in_flight

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
        if self.is_closing() or not data or not self.process.alive:
            return
        payload = bytes(data)
        fabric, faults = self._fabric, self._world.faults
        self._world.counts["chunks"] += 1
        self._world.trace.add(
            f"{self.process.name}>{self._peer.process.name} {len(payload)} "
            f"{zlib.crc32(payload):08x}"
        )
        if fabric.happens(faults.connection_reset, "connections reset"):
            error = ConnectionResetError(errno.ECONNRESET, "reset")
            self.break_off(error)
            self._peer.break_off(error)
            return
        self._in_flight += len(payload)
        stalled_s = 0.0
        if fabric.happens(faults.connection_stall, "connections stalled"):
            stalled_s = fabric.random.uniform(0.2, 1.0)
        if len(payload) > 1 and fabric.happens(faults.message_split, "messages split"):
            middle = fabric.random.randrange(1, len(payload))
            self._send(payload[:middle], stalled_s)
            self._send(payload[middle:], 0.0)
        else:
            self._send(payload, stalled_s)
        if self._in_flight > self._high and not self._protocol_paused:
            self._protocol_paused = True
            self.process.loop.call_soon(self._pause_protocol)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        """What was written still arrives; nothing is read any more."""
        if self.is_closing():
            return
        self._closing = True
        self._send_end(None)
        self.process.loop.call_soon(self.lose, None)

    def abort(self) -> None:
        if self.lost:
            return
        self._closing = True
        self._send_end(ConnectionResetError(errno.ECONNRESET, "aborted by peer"))
        self.process.loop.call_soon(self.lose, None)

    # The wire.

    def break_off(self, error: Exception) -> None:
        """The connection is lost for this end, at once."""
        self.process.loop.call_soon(self.lose, error)

    def lose(self, error: Exception | None) -> None:
        if self.lost:
            return
        self.lost = True
        self._forget()
        if self._begun and self._protocol is not None:
            self._protocol.connection_lost(error)

    def _send(self, payload: bytes, stalled_s: float) -> None:
        self._after_delay(stalled_s, self._peer.arrive, payload)

    def _send_end(self, error: Exception | None) -> None:
        self._after_delay(0.0, self._peer.arrive_end, error)

    def _after_delay(self, stalled_s: float, action: Callable[[Any], None], what: Any) -> None:
        sender, receiver = self.process.name, self._peer.process.name
        if self._fabric.is_cut(sender, receiver):
            self._world.counts["messages held by a cut"] += 1
            self._fabric.when_healed(
                sender, receiver, lambda: self._after_delay(stalled_s, action, what)
            )
            return
        arrival_s = self._world.now_s + self._fabric.delay_s() + stalled_s
        self._arrival_s = max(arrival_s, self._arrival_s)
        self._peer.process.loop.call_at(self._arrival_s, action, what)

    def arrive(self, payload: bytes) -> None:
        if self.lost or self._closing:
            if not self._peer.lost:
                self._peer.break_off(ConnectionResetError(errno.ECONNRESET, "reset by peer"))
            return
        self._received.append(payload)
        if self._begun and self._reading:
            self._deliver()

    def arrive_end(self, error: Exception | None) -> None:
        if error is not None:
            self.lose(error)
            return
        self._received_end = True
        if self._begun and self._reading:
            self._deliver()

    def _deliver(self) -> None:
        while self._received and self._reading and not self.lost and not self._closing:
            payload = self._received.pop(0)
            self._peer.arrived(len(payload))
            assert self._protocol is not None
            self._protocol.data_received(payload)
        if self._received_end and not self._received and not self.lost and self._reading:
            self._received_end = False
            assert self._protocol is not None
            if not self._closing and not self._protocol.eof_received():
                self.close()

    def arrived(self, count: int) -> None:
        self._in_flight -= count
        if self._protocol_paused and self._in_flight <= self._low:
            self._protocol_paused = False
            self.process.loop.call_soon(self._resume_protocol)

    def _pause_protocol(self) -> None:
        if not self.lost and self._protocol is not None and self._protocol_paused:
            self._protocol.pause_writing()
        else:
            self._protocol_paused = False

    def _resume_protocol(self) -> None:
        if not self.lost and self._protocol is not None:
            self._protocol.resume_writing()

    def _die(self) -> None:
        """The operating system closes a dead process's sockets."""
        if not self.lost:
            self.lost = True
            self._forget()
            self._send_end(ConnectionResetError(errno.ECONNRESET, "peer died"))

    def _forget(self) -> None:
        if self._die in self.process.on_death:
            self.process.on_death.remove(self._die)
        pair = next((one for one in self._fabric.connections if self in one), None)
        if pair is not None and all(end.lost for end in pair):
            self._fabric.connections.remove(pair)
