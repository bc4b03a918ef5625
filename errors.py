"""Every error raybase raises, in one tree.

::

    RaybaseError
    ├── RetryableError            the same call may succeed later, here or elsewhere
    │   ├── NotServingRegionError     ask hbase:meta again
    │   │   ├── RegionMovedError          go to the place it names
    │   │   ├── RegionSplitError          its daughters are there, and the error names them
    │   │   └── RegionOpeningError        same place, a little later
    │   ├── RegionTooBusyError        same place, after a pause
    │   ├── CallQueueTooBigError      same place, after a pause
    │   ├── CallTimedOutError         the outcome is unknown
    │   ├── ServerNotRunningError     the process is starting or stopping
    │   ├── PleaseHoldError           the master is not ready yet
    │   ├── MasterNotRunningError     no master is active, or not this one
    │   ├── StorageError              the file system failed; nothing was changed by it
    │   ├── ConnectionLostError       the outcome of what was under way is unknown
    │   ├── ProcessUnavailableError   a control call got no answer: outcome unknown
    │   ├── ServerGoneError           the region server's session is over: outcome unknown
    │   └── ScannerResetError and its two kinds: open the scanner again
    ├── InvalidRequestError       the call can never succeed as it stands; nothing was applied
    │   └── RetriesExhaustedError     unless this: the client gave up, what was sent may be applied
    │       └── BatchError                some actions of a batch failed; it lists them
    ├── FatalError                the process that meets it must end
    │   ├── FencedError               somebody else owns what we thought was ours
    │   └── SyncFailedError           what was written may be lost
    ├── ProcessDiedError          the process on the other side is gone for good
    ├── CoordinationError and its kinds: what the coordinator refuses (kazoo's names)
    ├── CorruptionError           stored bytes are not what was written
    │   └── UnsupportedFormatError    or are in a form that raybase does not read
    ├── BlockMiss                 not a failure: bytes a read needs before it can go on
    └── ClusterError              what `raybase start` and its kin cannot do, and the way out

Every class keeps all its arguments in ``args``, so that each survives pickling (Ray) and
``java_class`` is the name under which HBase's clients know it (the wire).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

_HBASE = "org.apache.hadoop.hbase."
_KEEPER = "org.apache.zookeeper.KeeperException"


class RaybaseError(Exception):
    """Base of all errors of raybase."""

    java_class: ClassVar[str] = _HBASE + "HBaseIOException"
    do_not_retry: ClassVar[bool] = False


class RetryableError(RaybaseError):
    """The call was not applied, or its outcome is unknown; trying again is allowed."""


class NotServingRegionError(RetryableError):
    """The region is not online at the server that was asked. Look its place up again."""

    java_class = _HBASE + "NotServingRegionException"


class RegionMovedError(NotServingRegionError):
    """The region went to another server, which the error names."""

    java_class = _HBASE + "exceptions.RegionMovedException"

    def __init__(self, host: str, port: int, start_code: int, sequence_id: int) -> None:
        super().__init__(host, port, start_code, sequence_id)
        self.host = host
        self.port = port
        self.start_code = start_code
        self.sequence_id = sequence_id

    def __str__(self) -> str:
        """HBase's clients parse this very sentence."""
        return (
            f"Region moved to: hostname={self.host} port={self.port} "
            f"startCode={self.start_code}. As of locationSeqNum={self.sequence_id}."
        )


class RegionSplitError(NotServingRegionError):
    """The region was split at a row, and its daughters, of this id, are at the same server.

    HBase has no such exception: its clients take it for what it inherits, and ask hbase:meta.
    """

    def __init__(self, row: bytes, region_id: int) -> None:
        super().__init__(row, region_id)
        self.row = row
        self.region_id = region_id

    def __str__(self) -> str:
        """Our client parses this very sentence."""
        return f"Region was split: row={self.row.hex()} regionId={self.region_id}."


class RegionOpeningError(NotServingRegionError):
    """The region is being opened where it was looked for. Try again there."""

    java_class = _HBASE + "exceptions.RegionOpeningException"


class RegionTooBusyError(RetryableError):
    """The region's memory is above its limit and being flushed. Pause, then try again."""

    java_class = _HBASE + "RegionTooBusyException"


class CallQueueTooBigError(RetryableError):
    """The server has more calls waiting than it accepts. Pause, then try again."""

    java_class = _HBASE + "CallQueueTooBigException"


class CallTimedOutError(RetryableError):
    """The deadline of the call passed. A mutation may or may not have been applied."""

    java_class = _HBASE + "ipc.CallTimeoutException"


class ServerNotRunningError(RetryableError):
    """The process is not (or no longer) in service."""

    java_class = _HBASE + "ipc.ServerNotRunningYetException"


class PleaseHoldError(RetryableError):
    """The master is active but still taking over."""

    java_class = _HBASE + "PleaseHoldException"


class MasterNotRunningError(RetryableError):
    """The process that was asked is not the active master."""

    java_class = _HBASE + "MasterNotRunningException"


class StaleMasterError(MasterNotRunningError):
    """A master of a higher epoch has taken over; the one that asked must stand down."""


class StorageError(RetryableError):
    """The file system failed a read, or a write nobody relies on yet. Try again."""

    java_class = "java.io.IOException"


class ConnectionLostError(RetryableError):
    """The connection broke. What was under way on it may or may not have happened."""

    java_class = _HBASE + "exceptions.ConnectionClosedException"


class ProcessUnavailableError(RetryableError):
    """A control call got no answer; it may have run, may yet run, or never will."""


class ServerGoneError(RetryableError):
    """The region server's session ended before it answered; what it did its logs will tell."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.server = server

    def __str__(self) -> str:
        return f"region server {self.server} is gone"


class ScannerResetError(RetryableError):
    """The scanner cannot go on. Open a new one after the last row received."""

    java_class = _HBASE + "exceptions.ScannerResetException"
    do_not_retry = True


class UnknownScannerError(ScannerResetError):
    """The scanner's lease ran out, or its server began a new life."""

    java_class = _HBASE + "UnknownScannerException"


class OutOfOrderScannerNextError(ScannerResetError):
    """A call to the scanner was lost or doubled, so its position is not known."""

    java_class = _HBASE + "exceptions.OutOfOrderScannerNextException"


class InvalidRequestError(RaybaseError):
    """The request is wrong; nothing of it was applied, and trying again will not help."""

    java_class = _HBASE + "DoNotRetryIOException"
    do_not_retry = True


class IllegalArgumentError(InvalidRequestError):
    """An argument is outside what is allowed; the message says which and why."""

    java_class = "java.lang.IllegalArgumentException"


class IncompatibleFilterError(InvalidRequestError):
    """The filter cannot be used with another option of the scan."""

    java_class = _HBASE + "filter.IncompatibleFilterException"


class NoSuchFamilyError(InvalidRequestError):
    """The table has no such column family."""

    java_class = _HBASE + "regionserver.NoSuchColumnFamilyException"


class WrongRegionError(InvalidRequestError):
    """The row is outside the region that was named. Look its region up again."""

    java_class = _HBASE + "regionserver.WrongRegionException"
    do_not_retry = False


class StaleOrderError(InvalidRequestError):
    """A late duplicate of a control call: a later order about the region was given since."""


class TableNotFoundError(InvalidRequestError):
    """There is no table of this name."""

    java_class = _HBASE + "TableNotFoundException"


class TableExistsError(InvalidRequestError):
    """A table of this name exists already."""

    java_class = _HBASE + "TableExistsException"


class TableNotEnabledError(InvalidRequestError):
    """The table is disabled."""

    java_class = _HBASE + "TableNotEnabledException"


class TableNotDisabledError(InvalidRequestError):
    """The table must be disabled first."""

    java_class = _HBASE + "TableNotDisabledException"


class NamespaceNotFoundError(InvalidRequestError):
    """There is no namespace of this name."""

    java_class = _HBASE + "NamespaceNotFoundException"


class NamespaceExistsError(InvalidRequestError):
    """A namespace of this name exists already."""

    java_class = _HBASE + "NamespaceExistException"


class ConstraintError(InvalidRequestError):
    """A rule forbids it, such as that a namespace with tables stays; the message says which."""

    java_class = _HBASE + "constraint.ConstraintException"


class QuotaExceededError(InvalidRequestError):
    """A namespace may not have one more table or region: its quota says so. Raise the quota,
    or make room."""

    java_class = _HBASE + "quotas.QuotaExceededException"


class UnknownRegionError(InvalidRequestError):
    """There is no region of this name."""

    java_class = _HBASE + "UnknownRegionException"


class MergeRegionError(InvalidRequestError):
    """These regions cannot be merged, or not now."""

    java_class = _HBASE + "exceptions.MergeRegionException"


class AccessDeniedError(InvalidRequestError):
    """The user has no right to do this."""

    java_class = _HBASE + "security.AccessDeniedException"


class UnsupportedOperationError(InvalidRequestError):
    """raybase does not offer this."""

    java_class = "java.lang.UnsupportedOperationException"


class RequestTooBigError(InvalidRequestError):
    """The frame is larger than the server accepts."""

    java_class = _HBASE + "exceptions.RequestTooBigException"


class BadFrameError(InvalidRequestError):
    """The bytes are not a call of HBase's protocol; the connection is closed."""

    java_class = _HBASE + "ipc.FatalConnectionException"


class RetriesExhaustedError(InvalidRequestError):
    """A client gave up: every try allowed was used, or the deadline passed.

    The message lists the last errors. Mutations among what was tried may have been applied.
    """

    java_class = _HBASE + "client.RetriesExhaustedException"


class BatchError(RetriesExhaustedError):
    """Some actions of a batch failed; the others were done. ``failures``: index to error."""

    def __init__(self, count: int, failures: dict[int, RaybaseError]) -> None:
        super().__init__(count, failures)
        self.count = count
        self.failures = failures

    def __str__(self) -> str:
        text = f"{len(self.failures)} of {self.count} actions failed"
        for index, first in self.failures.items():
            return f"{text}; number {index}: {type(first).__name__}: {first}"
        return text


class FatalError(RaybaseError):
    """The process that meets this must end at once, acknowledging nothing more."""

    java_class = _HBASE + "regionserver.RegionServerAbortedException"


class FencedError(FatalError):
    """A later owner fenced this process's log, or committed a manifest over its own."""


class SyncFailedError(FatalError):
    """A log could not be written or synced. It is never tried again on the same descriptor."""


class DiskFullError(SyncFailedError):
    """A log has no room to grow. It keeps what it could not write and writes that first when it
    is appended to again; who does not do that must treat it as the failure it is."""


class ProcessDiedError(RaybaseError):
    """The process is gone and will not come back under this name."""


class CoordinationError(RaybaseError):
    """Base of what the coordinator answers instead of a result.

    ``place`` says which operation of a Multi failed, counted from 0; None outside one.
    """

    java_class = _KEEPER
    place: int | None = None


class NoNodeError(CoordinationError):
    """There is no znode at this path."""

    java_class = _KEEPER + "$NoNodeException"


class NodeExistsError(CoordinationError):
    """There is a znode at this path already."""

    java_class = _KEEPER + "$NodeExistsException"


class BadVersionError(CoordinationError):
    """The znode's version is not the one the request named."""

    java_class = _KEEPER + "$BadVersionException"


class NotEmptyError(CoordinationError):
    """The znode has children."""

    java_class = _KEEPER + "$NotEmptyException"


class NoChildrenForEphemeralsError(CoordinationError):
    """An ephemeral znode cannot have children."""

    java_class = _KEEPER + "$NoChildrenForEphemeralsException"


class SessionExpiredError(CoordinationError):
    """The session is over: its ephemeral znodes are gone and it cannot be taken up again."""

    java_class = _KEEPER + "$SessionExpiredException"


class BadArgumentsError(CoordinationError):
    """The path or the request is malformed."""

    java_class = _KEEPER + "$BadArgumentsException"


class RolledBackError(CoordinationError):
    """This operation of a transaction would have succeeded, but another one failed."""


class RuntimeInconsistency(CoordinationError):  # noqa: N818 - kazoo's name
    """This operation of a transaction was not tried, as one before it failed."""

    java_class = _KEEPER + "$RuntimeInconsistencyException"


class CorruptionError(RaybaseError):
    """Stored bytes are not what was written. Nothing was skipped over or made up."""

    java_class = _HBASE + "io.hfile.CorruptHFileException"
    do_not_retry = True

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} (file {self.path}, offset {self.offset})"


class UnsupportedFormatError(CorruptionError):
    """The file may be sound, but raybase does not read its version, codec or encoding."""


class BlockMiss(RaybaseError):  # noqa: N818 - not an error to whom it is raised
    """A read needs bytes that are not in memory: fetch them, admit them, resume the read.

    ``keep`` is False if the block should pass through the cache without staying there.
    ``others`` are what the same read is known to need as well: fetch them beside this one.
    """

    def __init__(
        self,
        path: str,
        offset: int,
        length: int,
        keep: bool = True,
        others: tuple[BlockMiss, ...] = (),
    ) -> None:
        super().__init__(path, offset, length, keep, others)
        self.path = path
        self.offset = offset
        self.length = length
        self.keep = keep
        self.others = others

    @classmethod
    def joined(cls, misses: Sequence[BlockMiss]) -> BlockMiss:
        """One miss of all these, at least one; a new one, so that whoever raises it and holds
        these is no circle of references, which keeps a read's memory until garbage is collected."""
        first = misses[0]
        others = (*first.others, *(one for miss in misses[1:] for one in miss.all))
        return cls(first.path, first.offset, first.length, first.keep, others)

    @property
    def all(self) -> tuple[BlockMiss, ...]:
        """This one and the others."""
        return (self, *self.others)


class RegionOwnedElsewhereError(RaybaseError):
    """The region's manifest names another owner, whose log has not been recovered."""

    def __init__(self, region: str, owner: str) -> None:
        super().__init__(region, owner)
        self.region = region
        self.owner = owner

    def __str__(self) -> str:
        return f"region {self.region} belongs to {self.owner}"


class ObjectLostError(RaybaseError):
    """An object of the object store is gone; read the file it was made from."""


class ClusterError(RaybaseError):
    """A cluster cannot be started, joined or stopped; the message says why and what to do."""
