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

from .base import (
    RaybaseError,
)
from .coordination import (
    BadArgumentsError,
    BadVersionError,
    CoordinationError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
    SessionExpiredError,
)
from .failures import (
    BlockMiss,
    ClusterError,
    CorruptionError,
    DiskFullError,
    FatalError,
    FencedError,
    ObjectLostError,
    ProcessDiedError,
    RegionOwnedElsewhereError,
    SyncFailedError,
    UnsupportedFormatError,
)
from .requests import (
    AccessDeniedError,
    BadFrameError,
    BatchError,
    ConstraintError,
    IllegalArgumentError,
    IncompatibleFilterError,
    InvalidRequestError,
    MergeRegionError,
    NamespaceExistsError,
    NamespaceNotFoundError,
    NoSuchFamilyError,
    ProcedureAbortedError,
    QuotaExceededError,
    RequestTooBigError,
    RetriesExhaustedError,
    StaleOrderError,
    TableExistsError,
    TableNotDisabledError,
    TableNotEnabledError,
    TableNotFoundError,
    UnknownRegionError,
    UnsupportedOperationError,
    WrongRegionError,
)
from .retryable import (
    CallQueueTooBigError,
    CallTimedOutError,
    ConnectionLostError,
    MasterNotRunningError,
    NotServingRegionError,
    OutOfOrderScannerNextError,
    PleaseHoldError,
    ProcessUnavailableError,
    RegionMovedError,
    RegionOpeningError,
    RegionSplitError,
    RegionTooBusyError,
    RetryableError,
    ScannerResetError,
    ServerGoneError,
    ServerNotRunningError,
    StaleMasterError,
    StorageError,
    UnknownScannerError,
)

__all__ = [
    "AccessDeniedError",
    "BadArgumentsError",
    "BadFrameError",
    "BadVersionError",
    "BatchError",
    "BlockMiss",
    "CallQueueTooBigError",
    "CallTimedOutError",
    "ClusterError",
    "ConnectionLostError",
    "ConstraintError",
    "CoordinationError",
    "CorruptionError",
    "DiskFullError",
    "FatalError",
    "FencedError",
    "IllegalArgumentError",
    "IncompatibleFilterError",
    "InvalidRequestError",
    "MasterNotRunningError",
    "MergeRegionError",
    "NamespaceExistsError",
    "NamespaceNotFoundError",
    "NoChildrenForEphemeralsError",
    "NoNodeError",
    "NoSuchFamilyError",
    "NodeExistsError",
    "NotEmptyError",
    "NotServingRegionError",
    "ObjectLostError",
    "OutOfOrderScannerNextError",
    "PleaseHoldError",
    "ProcedureAbortedError",
    "ProcessDiedError",
    "ProcessUnavailableError",
    "QuotaExceededError",
    "RaybaseError",
    "RegionMovedError",
    "RegionOpeningError",
    "RegionOwnedElsewhereError",
    "RegionSplitError",
    "RegionTooBusyError",
    "RequestTooBigError",
    "RetriesExhaustedError",
    "RetryableError",
    "RolledBackError",
    "RuntimeInconsistency",
    "ScannerResetError",
    "ServerGoneError",
    "ServerNotRunningError",
    "SessionExpiredError",
    "StaleMasterError",
    "StaleOrderError",
    "StorageError",
    "SyncFailedError",
    "TableExistsError",
    "TableNotDisabledError",
    "TableNotEnabledError",
    "TableNotFoundError",
    "UnknownRegionError",
    "UnknownScannerError",
    "UnsupportedFormatError",
    "UnsupportedOperationError",
    "WrongRegionError",
]
