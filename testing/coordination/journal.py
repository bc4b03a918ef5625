"""All transactions of a story, from the coordinator's own log files."""

from __future__ import annotations

from typing import Final

from ...actors.coordinator_files import DIRECTORY
from ...coordination.log_format import decode_log
from ...coordination.records import Record
from ..disk import Disk

_LOG: Final = "/log."


class Journal:
    """Reads every log before it is removed, and those that are left at the end."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._logs: dict[str, bytes] = {}
        disk.on_call = self._look

    def _look(self, call: str) -> None:
        verb, _, path = call.partition(" ")
        if verb == "unlink" and path.startswith(DIRECTORY) and _LOG in path:
            self._logs[path] = bytes(self._disk.file(path).data)

    def records(self) -> list[Record]:
        """What the logs come to, without what no later life took over.

        Raises CorruptionError.
        """
        for path, node in self._disk.walk(DIRECTORY):
            if _LOG in path:
                self._logs[path] = bytes(node.data)
        found: dict[int, Record] = {}
        for path in sorted(self._logs):
            log = decode_log(path, self._logs[path])
            if log.header is None:
                continue
            begin = log.header.zxid
            found = {zxid: record for zxid, record in found.items() if zxid <= begin}
            found |= {record.zxid: record for record in log.records}
        return [found[zxid] for zxid in sorted(found)]
