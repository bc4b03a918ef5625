"""What the services of a region server need of the server they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..config import ClusterConfig
from ..runtime import Runtime
from .hosted_region import HostedRegion
from .observers import Authorizer, RegionObserver


class RegionHost(Protocol):
    """The regions of one server, found as clients name them."""

    @property
    def runtime(self) -> Runtime: ...

    @property
    def config(self) -> ClusterConfig: ...

    @property
    def authorizer(self) -> Authorizer | None: ...

    @property
    def observers(self) -> Sequence[RegionObserver]: ...

    def find(self, name: bytes) -> HostedRegion:
        """The region of this full (or encoded) name; it may be about to leave.

        Raises NotServingRegionError's kinds, ServerNotRunningError.
        """
        ...

    def want_compaction(self, hosted: HostedRegion, *, major: bool) -> None:
        """Compacts the region in the background."""
        ...
