"""RaybaseError: the root of the tree."""

from __future__ import annotations

from typing import ClassVar, Final

HBASE: Final = "org.apache.hadoop.hbase."
"""What the names of HBase's classes begin with."""


class RaybaseError(Exception):
    """Base of all errors of raybase."""

    java_class: ClassVar[str] = HBASE + "HBaseIOException"
    do_not_retry: ClassVar[bool] = False
