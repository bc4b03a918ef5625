"""What a server reports of its regions, which may be very many and mostly do not change."""

from __future__ import annotations

from .hosted_region import HostedRegion
from .messages import RegionStatus

_Stamp = tuple[object, ...]
"""All that a status depends on and that may change while the region is here."""


class RegionReports:
    """Makes the status of a region anew only if something of it has changed."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[_Stamp, RegionStatus]] = {}

    def of(self, hosted: HostedRegion) -> RegionStatus:
        """For the master and for people."""
        region = hosted.region
        stamp = (
            hosted.state,
            region.manifest,
            region.memstore_bytes,
            hosted.reads,
            hosted.writes,
            hosted.services.io.at_hand_changes,
        )
        last = self._last.get(hosted.encoded)
        if last is not None and last[0] == stamp:
            return last[1]
        status = _status(hosted)
        self._last[hosted.encoded] = stamp, status
        return status

    def forget(self, encoded: str) -> None:
        """The region has left."""
        self._last.pop(encoded, None)


def _status(hosted: HostedRegion) -> RegionStatus:
    region, is_at_hand = hosted.region, hosted.services.io.is_at_hand
    files = file_bytes = references = object_bytes = 0
    for entry in region.file_entries:
        files += 1
        file_bytes += entry.size
        references += entry.is_reference
        if is_at_hand(entry.path):
            object_bytes += entry.size
    return RegionStatus(
        hosted.encoded,
        hosted.state,
        hosted.info,
        hosted.open_sequence_id,
        "",
        region.memstore_bytes,
        files,
        file_bytes,
        references,
        hosted.reads,
        hosted.writes,
        object_bytes,
    )
