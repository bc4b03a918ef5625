"""Errors of calls that can never succeed as they stand: nothing of them was applied."""

from __future__ import annotations

from .base import HBASE, RaybaseError


class InvalidRequestError(RaybaseError):
    """The request is wrong; nothing of it was applied, and trying again will not help."""

    java_class = HBASE + "DoNotRetryIOException"
    do_not_retry = True


class IllegalArgumentError(InvalidRequestError):
    """An argument is outside what is allowed; the message says which and why."""

    java_class = "java.lang.IllegalArgumentException"


class IncompatibleFilterError(InvalidRequestError):
    """The filter cannot be used with another option of the scan."""

    java_class = HBASE + "filter.IncompatibleFilterException"


class NoSuchFamilyError(InvalidRequestError):
    """The table has no such column family."""

    java_class = HBASE + "regionserver.NoSuchColumnFamilyException"


class WrongRegionError(InvalidRequestError):
    """The row is outside the region that was named. Look its region up again."""

    java_class = HBASE + "regionserver.WrongRegionException"
    do_not_retry = False


class StaleOrderError(InvalidRequestError):
    """A late duplicate of a control call: a later order about the region was given since."""


class TableNotFoundError(InvalidRequestError):
    """There is no table of this name."""

    java_class = HBASE + "TableNotFoundException"


class TableExistsError(InvalidRequestError):
    """A table of this name exists already."""

    java_class = HBASE + "TableExistsException"


class TableNotEnabledError(InvalidRequestError):
    """The table is disabled."""

    java_class = HBASE + "TableNotEnabledException"


class TableNotDisabledError(InvalidRequestError):
    """The table must be disabled first."""

    java_class = HBASE + "TableNotDisabledException"


class NamespaceNotFoundError(InvalidRequestError):
    """There is no namespace of this name."""

    java_class = HBASE + "NamespaceNotFoundException"


class NamespaceExistsError(InvalidRequestError):
    """A namespace of this name exists already."""

    java_class = HBASE + "NamespaceExistException"


class ConstraintError(InvalidRequestError):
    """A rule forbids it, such as that a namespace with tables stays; the message says which."""

    java_class = HBASE + "constraint.ConstraintException"


class QuotaExceededError(InvalidRequestError):
    """A namespace may not have one more table or region: its quota says so. Raise the quota,
    or make room."""

    java_class = HBASE + "quotas.QuotaExceededException"


class ProcedureAbortedError(InvalidRequestError):
    """Somebody had the procedure aborted before it had changed anything for good."""

    java_class = HBASE + "procedure2.ProcedureAbortedException"


class UnknownRegionError(InvalidRequestError):
    """There is no region of this name."""

    java_class = HBASE + "UnknownRegionException"


class MergeRegionError(InvalidRequestError):
    """These regions cannot be merged, or not now."""

    java_class = HBASE + "exceptions.MergeRegionException"


class AccessDeniedError(InvalidRequestError):
    """The user has no right to do this."""

    java_class = HBASE + "security.AccessDeniedException"


class UnsupportedOperationError(InvalidRequestError):
    """raybase does not offer this."""

    java_class = "java.lang.UnsupportedOperationException"


class RequestTooBigError(InvalidRequestError):
    """The frame is larger than the server accepts."""

    java_class = HBASE + "exceptions.RequestTooBigException"


class BadFrameError(InvalidRequestError):
    """The bytes are not a call of HBase's protocol; the connection is closed."""

    java_class = HBASE + "ipc.FatalConnectionException"


class RetriesExhaustedError(InvalidRequestError):
    """A client gave up: every try allowed was used, or the deadline passed.

    The message lists the last errors. Mutations among what was tried may have been applied.
    """

    java_class = HBASE + "client.RetriesExhaustedException"


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
