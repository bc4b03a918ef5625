"""The client's rules, without I/O: finding regions, calling their servers, trying again.

``Core`` is what a connection knows: settings, cache of locations, the servers to begin with.
Its methods are operations (see ``effects``). Source: AsyncRpcRetryingCaller,
AsyncNonMetaRegionLocator, RpcConnectionRegistry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from google.protobuf.message import Message

from ..config import ClientConfig
from ..errors import (
    MasterNotRunningError,
    NotServingRegionError,
    RaybaseError,
    RegionMovedError,
    RegionOpeningError,
    RegionSplitError,
    TableNotEnabledError,
    TableNotFoundError,
)
from ..model import META_REGION, META_TABLE, TableName
from ..operations import Get, Scan
from ..rpc.client import Answer
from ..rpc.proto import hbase_pb2 as pb
from ..runtime import Entropy
from . import meta, wire
from .effects import Address, Call, MonotonicClock, Operation, Shared
from .location import LocationCache, RegionLocation, lookup_bounds
from .registry_endpoints import RegistryEndpoints
from .retry import Attempts

CLIENT: Final = "ClientService"
MASTER: Final = "MasterService"
ADMIN: Final = "AdminService"

REGISTRY_TIMEOUT_S: Final = 5.0
"""The registry's answers are in memory: a server that takes longer is not worth waiting for."""
PREFETCH: Final = 10
"""Regions read in one lookup. hbase.client.locate.prefetch.limit"""

Request = Callable[[RegionLocation], Message]
"""Makes the message of a call once the region is known."""


class Core:
    """What all operations of one connection share.

    ``nonce_group`` and the nonces it gives out make a mutation known to the servers, so that
    trying it again after a lost answer does not apply it twice.
    """

    def __init__(self, config: ClientConfig, clock: MonotonicClock, entropy: Entropy) -> None:
        self.config = config
        self.clock = clock
        self.entropy = entropy
        self.cache = LocationCache()
        self.nonce_group = entropy.integer(62) + 1
        self._endpoints = RegistryEndpoints()
        self._meta_namer: Address | None = None
        self._master: Address | None = None
        self._master_namer: Address | None = None

    def nonce(self) -> int:
        """A number no other mutation has."""
        return self.entropy.integer(62) + 1

    def attempts(self, what: Callable[[], str]) -> Attempts:
        return Attempts(what, self.config, self.clock, self.entropy)

    # -- regions ---------------------------------------------------------------------------

    def on_row(
        self, table: TableName, row: bytes, method: str, request: Request
    ) -> Operation[Answer]:
        """Calls the server of the row's region until it answers.

        Raises:
            RetriesExhaustedError: tries or time are used up.
            RaybaseError: what the server said, if trying again cannot help.
        """
        attempts = self.attempts(lambda: f"{method} of row {row[:64]!r} of table {table}")
        while True:
            location = self.cache.find(table, row)
            try:
                if location is None:
                    location = yield from self.locate(table, row)
                answer: Answer = yield Call(
                    location.address,
                    CLIENT,
                    method,
                    request(location),
                    attempts.call_timeout_s(),
                )
                return answer
            except RaybaseError as error:
                pause = attempts.failed(error, location.address if location else None)
                yield from self.learn(table, location, error)
                yield pause

    def on_region(
        self, location: RegionLocation, service: str, method: str, request: Request
    ) -> Operation[Answer]:
        """As ``on_row``, for one region as a whole. Raises NotServingRegionError when the
        region is no more (split, merged, its table deleted)."""
        region = location.region
        attempts = self.attempts(lambda: f"{method} of region {region}")
        while True:
            try:
                answer: Answer = yield Call(
                    location.address,
                    service,
                    method,
                    request(location),
                    attempts.call_timeout_s(),
                )
                return answer
            except RaybaseError as error:
                pause = attempts.failed(error, location.address)
                yield from self.learn(region.table, location, error)
                yield pause
            found = self.cache.find(region.table, region.start_key)
            if found is None:
                found = yield from self.locate(region.table, region.start_key)
            if found.name != location.name:
                raise NotServingRegionError(
                    f"region {region} is no more: {found.region} took its place"
                )
            location = found

    def learn(
        self, table: TableName, location: RegionLocation | None, error: RaybaseError
    ) -> Operation[None]:
        """Corrects the cache after a failed call, and finds out if the table is disabled.

        Raises TableNotEnabledError.
        """
        if location is None:
            return
        self.cache.learn(location, error)
        if (
            isinstance(error, NotServingRegionError)
            and not isinstance(error, RegionMovedError | RegionSplitError | RegionOpeningError)
            and table != META_TABLE
        ):
            yield from self._check_enabled(table)

    def locate(
        self, table: TableName, row: bytes, *, before: bool = False
    ) -> Operation[RegionLocation]:
        """Where the row's region is, from the cache or else from hbase:meta.

        With ``before``: the region with the rows just below ``row``, or the table's last one
        if ``row`` is empty. One try; concurrent lookups in a table are done once.

        Raises:
            TableNotFoundError: hbase:meta has no region of the table.
            NotServingRegionError: the region has no server now.
        """
        if table == META_TABLE:
            return (yield from self.locate_meta())
        find = self.cache.find_before if before else self.cache.find
        while True:
            location = find(table, row)
            if location is not None:
                return location
            yield Shared(table, lambda: self._look_up(table, row, before=before))

    def locate_meta(self) -> Operation[RegionLocation]:
        """Where hbase:meta is, from the cache or else from the registry."""
        while self.cache.meta is None:
            yield Shared(META_TABLE, self._find_meta)
        return self.cache.meta

    def meta_row(self, row: bytes) -> Operation[Answer]:
        """One row of hbase:meta; one try."""
        location = yield from self.locate_meta()
        message = wire.get_request(location, Get(row))
        return (yield from self._call_meta(location, "Get", message))

    def meta_scan(self, scan: Scan, rows: int) -> Operation[list[meta.RegionRow]]:
        """The first rows of a scan of hbase:meta, in one call; one try."""
        location = yield from self.locate_meta()
        message = wire.scan_once(location, scan, rows)
        answer = yield from self._call_meta(location, "Scan", message)
        return meta.parse_rows(wire.scanned(answer))

    def _call_meta(
        self, location: RegionLocation, method: str, message: Message
    ) -> Operation[Answer]:
        timeout_s = min(self.config.call_timeout_s, self.config.operation_timeout_s)
        try:
            answer: Answer = yield Call(location.address, CLIENT, method, message, timeout_s)
        except RaybaseError as error:
            self.cache.learn(location, error)
            raise
        return answer

    def _look_up(self, table: TableName, row: bytes, *, before: bool) -> Operation[None]:
        start, stop = lookup_bounds(table, row, before=before)
        scan = Scan(
            start,
            stop,
            include_stop=True,
            columns={b"info": None},
            reversed=True,
            limit=PREFETCH,
        )
        rows = yield from self.meta_scan(scan, PREFETCH)
        if not rows:
            self.cache.drop_table(table)
            raise TableNotFoundError(
                f"there is no table {table}; `list` in `raybase shell` shows the tables"
            )
        for one in reversed(rows):
            if one.location is not None and not one.region.split:
                self.cache.add(one.location)
        find = self.cache.find_before if before else self.cache.find
        if find(table, row) is None:
            raise NotServingRegionError(
                f"no server has the region of row {row[:64]!r} of table {table} now: "
                + "; ".join(str(one) for one in rows[:2])
            )

    def _check_enabled(self, table: TableName) -> Operation[None]:
        try:
            state = yield from self.table_state(table)
        except TableNotFoundError:
            return
        except RaybaseError as error:
            # Only a question to explain the first error; what cannot be answered now will be
            # asked again after the next try.
            if error.do_not_retry:
                raise
            return
        if state in (meta.TableState.DISABLED, meta.TableState.DISABLING):
            raise TableNotEnabledError(f"table {table} is {state.name.lower()}; enable it first")

    def table_state(self, table: TableName) -> Operation[meta.TableState]:
        """The table's state as hbase:meta has it; one try. Raises TableNotFoundError."""
        answer = yield from self.meta_row(str(table).encode())
        return meta.parse_state(table, wire.got(answer))

    # -- registry and master ---------------------------------------------------------------

    def _find_meta(self) -> Operation[None]:
        if self._meta_namer is not None:
            # It would not be asked again if meta were where it said.
            self._endpoints.doubt(self._meta_namer)
        answer, self._meta_namer = yield from self.ask_registry(
            "GetMetaRegionLocations", pb.GetMetaRegionLocationsRequest()
        )
        for one in answer.message.meta_locations:
            if one.HasField("server_name"):
                server = wire.server_name(one.server_name)
                self.cache.meta = RegionLocation(META_REGION, server, one.seq_num)
                return
        raise NotServingRegionError("hbase:meta has no server now")

    def ask_registry(self, method: str, message: Message) -> Operation[tuple[Answer, Address]]:
        """An answer of a server, and its address. Errors as RegistryEndpoints.ask."""
        timeout_s = min(REGISTRY_TIMEOUT_S, self.config.call_timeout_s)
        return (yield from self._endpoints.ask(method, message, self.cache.addresses(), timeout_s))

    def cluster_id(self, *, one_try: bool = False) -> Operation[str]:
        """The cluster's id. With ``one_try``, from one round of the servers known."""
        attempts = self.attempts(lambda: "asking for the cluster's id")
        while True:
            try:
                answer, _ = yield from self.ask_registry("GetClusterId", pb.GetClusterIdRequest())
                return str(answer.message.cluster_id)
            except RaybaseError as error:
                if one_try:
                    raise
                yield attempts.failed(error)

    def locate_master(self) -> Operation[Address]:
        """Where the active master is; one try. Raises MasterNotRunningError."""
        if self._master is None:
            yield Shared("master", self._find_master)
        if self._master is None:
            raise MasterNotRunningError("the active master changed just now")
        return self._master

    def _find_master(self) -> Operation[None]:
        if self._master_namer is not None:
            self._endpoints.doubt(self._master_namer)
        answer, self._master_namer = yield from self.ask_registry(
            "GetActiveMaster", pb.GetActiveMasterRequest()
        )
        if not answer.message.HasField("server_name"):
            raise MasterNotRunningError("no master is active now")
        name = wire.server_name(answer.message.server_name)
        self._master = (name.host, name.port)

    def on_master(self, method: str, message: Message) -> Operation[Answer]:
        """Calls the active master until it answers. Errors as ``on_row``."""
        attempts = self.attempts(lambda: f"{method} at the master")
        while True:
            address: Address | None = None
            try:
                address = yield from self.locate_master()
                answer: Answer = yield Call(
                    address, MASTER, method, message, attempts.call_timeout_s()
                )
                return answer
            except RaybaseError as error:
                pause = attempts.failed(error, address)
                if address is not None and self._master == address:
                    self._master = None
                yield pause
