"""Errors after which the same call may succeed: later, here or elsewhere."""

from __future__ import annotations

from .base import HBASE, RaybaseError


class RetryableError(RaybaseError):
    """The call was not applied, or its outcome is unknown; trying again is allowed."""


class NotServingRegionError(RetryableError):
    """The region is not online at the server that was asked. Look its place up again."""

    java_class = HBASE + "NotServingRegionException"


class RegionMovedError(NotServingRegionError):
    """The region went to another server, which the error names."""

    java_class = HBASE + "exceptions.RegionMovedException"

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

    java_class = HBASE + "exceptions.RegionOpeningException"


class RegionTooBusyError(RetryableError):
    """The region's memory is above its limit and being flushed. Pause, then try again."""

    java_class = HBASE + "RegionTooBusyException"


class CallQueueTooBigError(RetryableError):
    """The server has more calls waiting than it accepts. Pause, then try again."""

    java_class = HBASE + "CallQueueTooBigException"


class CallTimedOutError(RetryableError):
    """The deadline of the call passed. A mutation may or may not have been applied."""

    java_class = HBASE + "ipc.CallTimeoutException"


class ServerNotRunningError(RetryableError):
    """The process is not (or no longer) in service."""

    java_class = HBASE + "ipc.ServerNotRunningYetException"


class PleaseHoldError(RetryableError):
    """The master is active but still taking over."""

    java_class = HBASE + "PleaseHoldException"


class MasterNotRunningError(RetryableError):
    """The process that was asked is not the active master."""

    java_class = HBASE + "MasterNotRunningException"


class StaleMasterError(MasterNotRunningError):
    """A master of a higher epoch has taken over; the one that asked must stand down."""


class StorageError(RetryableError):
    """The file system failed a read, or a write nobody relies on yet. Try again."""

    java_class = "java.io.IOException"


class ConnectionLostError(RetryableError):
    """The connection broke. What was under way on it may or may not have happened."""

    java_class = HBASE + "exceptions.ConnectionClosedException"


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

    java_class = HBASE + "exceptions.ScannerResetException"
    do_not_retry = True


class UnknownScannerError(ScannerResetError):
    """The scanner's lease ran out, or its server began a new life."""

    java_class = HBASE + "UnknownScannerException"


class OutOfOrderScannerNextError(ScannerResetError):
    """A call to the scanner was lost or doubled, so its position is not known."""

    java_class = HBASE + "exceptions.OutOfOrderScannerNextException"
