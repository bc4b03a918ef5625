"""Scan: scanners with leases, opened, read call by call and closed.

A call returns what fits its limits. A long one gives way to others after every slice, and
sends an early answer (a heartbeat) if it finds nothing for long, so that its client knows it
to be alive. Source: RSRpcServices.java (scan), hbase.md B.15.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ..errors import InvalidRequestError, UnknownScannerError
from ..operations import Scan
from ..rpc.call import Call, Reply
from ..rpc.convert import scan_from_request, scan_reply
from ..rpc.proto import hbase_pb2 as pb
from ..rpc.reads import ROWS_MAX
from ..storage.cells import CellBatch
from ..storage.scanner import RegionScanner
from .hosted_region import HostedRegion
from .observers import Action, authorize_columns
from .region_host import RegionHost
from .scanner_leases import Lease, ScannerLeases

CELLS_A_SLICE: Final = 4096
"""Cells looked at before other calls get their turn."""
HEARTBEAT_S: Final = 20.0
"""A call that has found nothing for this long says so: a third of a client's time-out.
hbase.client.scanner.timeout.period / 2, at most"""


@dataclass(slots=True)
class OpenScan:
    """A scanner on one region."""

    hosted: HostedRegion
    scan: Scan
    scanner: RegionScanner
    read_point: int


@dataclass(slots=True)
class _Limits:
    """What is left of what one call may return. 0 rows: no limit."""

    rows: int
    bytes: int
    partial: bool


class ScanService:
    """The open scanners of one server."""

    def __init__(self, host: RegionHost) -> None:
        self._host = host
        self.leases: ScannerLeases[OpenScan] = ScannerLeases(
            host.runtime.clock,
            host.runtime.entropy,
            host.config.rpc.scanner_lease_s,
            lambda one: one.scanner.close(),
        )

    def close_region(self, hosted: HostedRegion) -> None:
        """The region goes: its scanners end, and their clients open new ones where it is."""
        self.leases.close_where(lambda one: one.hosted is hosted)

    async def scan(self, call: Call) -> Reply:
        """Answers one Scan call: opens, goes on, renews or closes."""
        request = call.request
        if request.HasField("scanner_id"):
            return await self._go_on(call)
        if not request.HasField("region") or not request.HasField("scan"):
            raise InvalidRequestError("a scan names a scanner, or a region and what to scan")
        hosted = self._host.find(request.region.value)
        scan = scan_from_request(request)
        self._before_scan(call, hosted, scan)
        await hosted.decided()
        scanner = await hosted.resume(lambda: hosted.scanner(scan))
        lease = self.leases.open(OpenScan(hosted, scan, scanner, hosted.region.read_point))
        lease.busy = True
        return await self._answer(call, lease)

    async def _go_on(self, call: Call) -> Reply:
        request = call.request
        scanner_id = request.scanner_id
        self._authorize(call, self.leases.find(scanner_id).scanner)
        if request.renew:
            self.leases.renew(scanner_id)
            return Reply(pb.ScanResponse(scanner_id=scanner_id, ttl=self.leases.lease_ms))
        if request.close_scanner and not request.number_of_rows:
            self.leases.close(scanner_id)
            return Reply(pb.ScanResponse(more_results=False))
        sequence = request.next_call_seq if request.HasField("next_call_seq") else None
        return await self._answer(call, self.leases.begin_call(scanner_id, sequence))

    async def _answer(self, call: Call, lease: Lease[OpenScan]) -> Reply:
        one = lease.scanner
        try:
            batch, heartbeat = await self._rows(call, one)
            if not self.leases.is_open(lease):
                # Closed from elsewhere: what it returned may be cut short by that.
                raise UnknownScannerError(f"scanner {lease.scanner_id} was closed")
        except BaseException:
            # The client goes on after the last row it has, with a new scanner.
            self.leases.close(lease.scanner_id)
            raise
        exhausted = one.scanner.exhausted
        response = pb.ScanResponse(
            more_results=not (one.scanner.is_limit_reached or one.scanner.is_filter_done),
            more_results_in_region=not exhausted,
            ttl=self.leases.lease_ms,
            heartbeat_message=heartbeat,
            mvcc_read_point=one.read_point,
        )
        if heartbeat and one.scan.need_cursor and not batch and one.scanner.row_reached:
            response.cursor.row = one.scanner.row_reached
        if exhausted or call.request.close_scanner:
            self.leases.close(lease.scanner_id)
        else:
            response.scanner_id = lease.scanner_id
            self.leases.end_call(lease)
        return scan_reply(response, batch, call.codec)

    async def _rows(self, call: Call, one: OpenScan) -> tuple[CellBatch, bool]:
        """The rows of one call, and whether it ends early only to say that it is alive."""
        request = call.request
        out = CellBatch()
        if request.HasField("number_of_rows") and not request.number_of_rows:
            return out, False
        rows = request.number_of_rows if request.number_of_rows < ROWS_MAX else 0
        config = self._host.config.rpc
        limits = _Limits(
            rows,
            min(one.scan.max_result_bytes, config.scan_result_bytes_max),
            request.client_handles_partials,
        )
        await one.hosted.decided()
        clock = self._host.runtime.clock
        began_s = turn_s = clock.monotonic_s()
        while await self._slice(one, limits, out):
            now_s = clock.monotonic_s()
            if request.client_handles_heartbeats and now_s - began_s > HEARTBEAT_S:
                return out, True
            if now_s - turn_s > config.scan_slice_s:
                await asyncio.sleep(0)
                turn_s = clock.monotonic_s()
        return out, False

    async def _slice(self, one: OpenScan, limits: _Limits, out: CellBatch) -> bool:
        """Adds what one look at the region brings; whether there may be more for this call."""
        before = out.row_count
        out.partial = False
        await one.hosted.resume(
            lambda: one.scanner.next(
                limits.rows, limits.bytes, CELLS_A_SLICE, partial=limits.partial, into=out
            )
        )
        rows = out.row_count - before
        if rows:
            limits.bytes -= one.scanner.bytes_taken
            if limits.rows:
                limits.rows -= rows
                if limits.rows <= 0:
                    return False
        # A row in parts, as the scan asked for, goes on in this answer; one cut by size does not.
        is_cut = out.partial and not one.scan.batch
        return not (one.scanner.exhausted or limits.bytes <= 0 or is_cut)

    def _before_scan(self, call: Call, hosted: HostedRegion, scan: Scan) -> None:
        self._authorize_columns(call, hosted, scan)
        for observer in self._host.observers:
            observer.before_scan(call.context, hosted.info, scan)

    def _authorize(self, call: Call, one: OpenScan) -> None:
        self._authorize_columns(call, one.hosted, one.scan)

    def _authorize_columns(self, call: Call, hosted: HostedRegion, scan: Scan) -> None:
        authorizer = self._host.authorizer
        if authorizer is not None:
            table = hosted.info.table
            authorize_columns(authorizer, call.context, Action.READ, table, scan.columns)
