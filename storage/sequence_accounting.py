"""Which files of a write-ahead log are still needed."""

from __future__ import annotations

from collections.abc import Mapping


class SequenceAccounting:
    """Which files of a log still hold edits that are in no store file.

    Source: SequenceIdAccounting.java.
    """

    def __init__(self) -> None:
        self._files: dict[str, dict[str, int]] = {}
        """File -> region -> its highest sequence id in the file; oldest file first."""
        self._current: dict[str, int] = {}
        self._flushed: dict[str, int] = {}

    def roll(self, file: str) -> None:
        """Records go to ``file`` from now on."""
        self._files[file] = self._current = {}

    def appended(self, region: str, sequence_id: int) -> None:
        if sequence_id > self._current.get(region, 0):
            self._current[region] = sequence_id

    def flushed(self, region: str, sequence_id: int) -> None:
        """All edits of the region up to this one are in files, and its manifest says so."""
        if sequence_id > self._flushed.get(region, 0):
            self._flushed[region] = sequence_id

    def closed(self, region: str) -> None:
        """Nothing in this log is needed for the region any more: it was closed or moved.

        If it comes back, its sequence ids are above all it ever had.
        """
        for highest in self._files.values():
            highest.pop(region, None)
        self._flushed.pop(region, None)

    def archivable(self) -> list[str]:
        """The files that no region needs, without the one being written; oldest first."""
        return [
            file
            for file, highest in self._files.items()
            if highest is not self._current and not self._holders(highest)
        ]

    def archived(self, file: str) -> None:
        """The file was moved away; it must have been archivable."""
        del self._files[file]

    @property
    def files(self) -> list[str]:
        """All files not archived yet, oldest first, the one being written last."""
        return list(self._files)

    def pinning(self, files_max: int) -> dict[str, int]:
        """What to flush so that no more than ``files_max`` files have to stay.

        Regions, those of the oldest file first, with the highest sequence id that such a
        file has of them: families without an unflushed edit up to there need no flush.
        """
        surplus = list(self._files.values())[: max(len(self._files) - files_max, 0)]
        regions: dict[str, int] = {}
        for highest in surplus:
            if highest is not self._current:
                regions.update((region, highest[region]) for region in self._holders(highest))
        return regions

    def _holders(self, highest: Mapping[str, int]) -> list[str]:
        flushed = self._flushed
        return [
            region
            for region, sequence_id in highest.items()
            if sequence_id > flushed.get(region, 0)
        ]
