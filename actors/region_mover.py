"""Moves: the source's and the target's half of handing a region over.

1. The source flushes while it serves.
2. The target opens the files of the source's manifest n (``prepare_open``) and waits.
3. The source stops serving, waits until all its writes are durable, and sends what is in its
   memstores with the manifest n+1 that names the target as owner (``adopt_region``).
4. The target appends the edits to its own log and commits n+1: the point of no return. It
   serves, and answers. The source answers the master and remembers where the region went.

If the source does not learn how 4 ended, the manifests tell: either n+1 names the target, or
the source puts an n+1 of its own first and goes on serving, and the target's commit fails.
So the source waits but a moment for a target that is silent (``handover_timeout_s``) and need
not know whether it is dead. What a late target then has in its log are copies of edits that
the source's log has, too. If the source dies, whoever opens the region puts n+1, or finds the
target's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import (
    FatalError,
    FencedError,
    NotServingRegionError,
    RegionMovedError,
    RegionOwnedElsewhereError,
    StorageError,
)
from ..model import Durability, RegionInfo, ServerName, TableDescriptor
from ..runtime import Remote
from ..storage.hfile import HFileReader
from ..storage.manifest import Manifest
from ..storage.nonce_table import NonceTable
from ..storage.wal import decode_record
from .hosted_region import HostedRegion
from .log_writer import LogWriter
from .messages import AdoptRequest, MoveRequest, MoveResult, PrepareRequest, RegionState
from .nonce_files import open_nonces, tables_of
from .region_opener import fitted
from .region_services import RegionServices
from .store_io import load_manifest, put_manifest

HANDED_BYTES_MAX: Final = 4 * 1024 * 1024
"""Memstores above this are flushed once more before the region stops serving."""
FLUSHES_MAX: Final = 3
RESOLVE_PAUSE_S: Final = 0.05
PREPARED_KEPT_S: Final = 60.0
"""A target forgets what it prepared when the source has been silent for this long."""


async def hand_over(hosted: HostedRegion, request: MoveRequest) -> MoveResult:
    """The source's half. Returns when it is known who serves the region.

    Raises NotServingRegionError, StaleMasterError, StorageError (it serves on), FatalError
    (the process ends).
    """
    hosted.check_epoch(request.master_epoch)
    target = hosted.services.runtime.processes.remote(request.target_process)
    if hosted.region.memstore_bytes > 0:
        await hosted.flush()
    async with hosted.files_turn:
        hosted.check_serving()
        for _ in range(FLUSHES_MAX):
            if hosted.region.memstore_bytes <= HANDED_BYTES_MAX:
                break
            await hosted.flush_in_turn()
        prepare_request = _prepare_request(hosted, request)
        timeout_s = hosted.services.config.master.control_call_timeout_s
        error = await _ask(target, "prepare_open", prepare_request, timeout_s)
        if error is not None:
            return _stays(hosted, f"{request.target} could not open it: {error!r}")
        hosted.stop_serving(RegionState.HANDING_OVER)
        try:
            await hosted.log.barrier()
        except FatalError:
            raise
        except BaseException:
            hosted.serve()
            raise
        wanted = _next_manifest(hosted, request)
        adopt = AdoptRequest(
            hosted.encoded,
            hosted.services.server,
            request.master_epoch,
            request.order,
            wanted,
            tuple(hosted.region.memstore_records()),
        )
        timeout_s = hosted.services.config.region_server.handover_timeout_s
        error = await _ask(target, "adopt_region", adopt, timeout_s)
        return await _settle(hosted, request, target, wanted, error)


async def _ask(target: Remote, method: str, request: object, timeout_s: float) -> Exception | None:
    """The error of a call to the target, whatever it is: it never is our own, and a region whose
    fate it left open may not stay so."""
    try:
        await target.call(method, request, timeout_s=timeout_s)
    except Exception as error:
        return error
    return None


def _prepare_request(hosted: HostedRegion, request: MoveRequest) -> PrepareRequest:
    return PrepareRequest(
        hosted.info,
        hosted.table,
        request.master_epoch,
        request.order,
        hosted.services.server,
        hosted.manifest,
        hosted.services.io.handoff.of(entry.path for entry in hosted.manifest.files),
    )


def _next_manifest(hosted: HostedRegion, request: MoveRequest) -> Manifest:
    sequence_id = hosted.region.last_sequence_id + 1
    return hosted.region.next_manifest(
        owner=request.target,
        master_epoch=request.master_epoch,
        open_sequence_id=sequence_id,
        max_sequence_id=sequence_id,
    )


def _stays(hosted: HostedRegion, reason: str) -> MoveResult:
    server = hosted.services.server
    return MoveResult(hosted.encoded, False, server, hosted.open_sequence_id, reason)


async def _settle(
    hosted: HostedRegion,
    request: MoveRequest,
    target: Remote,
    wanted: Manifest,
    error: Exception | None,
) -> MoveResult:
    """Finds out who has the next manifest; takes it back if nobody has.

    A good answer of the target is not asked about: it has committed, and serves.
    """
    services = hosted.services
    while error is not None:
        try:
            own = hosted.region.next_manifest()
            if await put_manifest(services.runtime.files, own):
                hosted.resume_serving(own)
                timeout_s = services.config.region_server.handover_timeout_s
                await _ask(target, "abandon", hosted.encoded, timeout_s)
                return _stays(hosted, f"{request.target} did not take it over: {error!r}")
            latest = await load_manifest(services.runtime.files, hosted.info)
        except OSError:
            # Who serves is decided by a file that cannot be read now: nobody may until then.
            await services.runtime.clock.sleep(RESOLVE_PAUSE_S)
            continue
        if latest is not None and latest.version < wanted.version:
            continue
        if latest is None or (latest.version == wanted.version and latest.owner != wanted.owner):
            failure = FencedError(f"region {hosted.info} was taken from {services.server}")
            services.fail(failure)
            raise failure
        break
    to = ServerName.parse(request.target)
    moved = RegionMovedError(to.host, to.port, to.start_code, wanted.open_sequence_id)
    hosted.end(RegionState.MOVED, moved)
    return MoveResult(hosted.encoded, True, request.target, wanted.open_sequence_id)


@dataclass(slots=True)
class Prepared:
    """A region whose files are open here and whose source still serves it."""

    info: RegionInfo
    table: TableDescriptor
    manifest: Manifest
    readers: dict[str, HFileReader]
    nonce_tables: list[NonceTable]
    expires_s: float


async def prepare(services: RegionServices, request: PrepareRequest) -> Prepared:
    """The target's half of step 2. Raises CorruptionError, StorageError."""
    manifest = fitted(request.manifest, request.table)
    try:
        readers = await services.io.open_readers(manifest.files, request.handed)
        tables = await open_nonces(services.runtime.files, manifest.nonce_files)
    except OSError as error:
        raise StorageError(f"cannot open the files of {request.info}: {error}") from error
    expires_s = services.runtime.clock.monotonic_s() + PREPARED_KEPT_S
    return Prepared(request.info, request.table, manifest, readers, tables, expires_s)


async def adopt(
    services: RegionServices, log: LogWriter, prepared: Prepared, request: AdoptRequest
) -> HostedRegion:
    """The target's half of steps 3 and 4: the region, owned by this server, ready to serve.

    Raises NotServingRegionError if it was not prepared for this, RegionOwnedElsewhereError if
    the source took it back or died and somebody else has it, FatalError.
    """
    info, wanted, before = prepared.info, request.manifest, prepared.manifest
    tables = tables_of(wanted.nonce_files, prepared.nonce_tables)
    same_files = tables is not None and set(wanted.files) == set(before.files)
    if wanted.version != before.version + 1 or not same_files:
        raise NotServingRegionError(f"{info} was prepared from manifest {before.version}")
    hosted = HostedRegion(
        services, log, info, prepared.table, wanted, prepared.readers, tables or ()
    )
    for framed in request.edits:
        record = decode_record(framed)
        hosted.region.replay(record)
        log.submit(framed, hosted.encoded, record.sequence_id, Durability.FSYNC_WAL, _nothing_waits)
    try:
        await log.barrier()
        await _commit(services, wanted)
    except BaseException:
        log.forget(hosted.encoded)
        raise
    return hosted


async def _commit(services: RegionServices, wanted: Manifest) -> None:
    files = services.runtime.files
    while True:
        try:
            if await put_manifest(files, wanted):
                return
            latest = await load_manifest(files, wanted.region)
        except OSError:
            # It may be ours already: the source cannot know either until one of us has put it.
            await services.runtime.clock.sleep(RESOLVE_PAUSE_S)
            continue
        owner = "" if latest is None else latest.owner
        raise RegionOwnedElsewhereError(wanted.region.encoded_name, owner)


def _nothing_waits() -> None:
    """The barrier that follows waits for all of them."""
