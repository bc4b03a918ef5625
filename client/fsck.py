"""`raybase fsck`: looks at a running cluster or at the files of a stopped one, and mends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

from ..actors.coordinator import LOCK_FILE
from ..actors.fsck.check import Fsck
from ..actors.fsck.file_mender import FileMender
from ..actors.fsck.finding import Finding, Kind, Report
from ..actors.fsck.master_files import check_coordinator, check_procedures
from ..actors.fsck.mends import ON_FILES, Act, Mend, mend_of, refusal_of
from ..actors.fsck.meta_files import read_meta_files
from ..actors.fsck.store_files import StoreFileCheck
from ..actors.messages import RegionState, ServerStatus
from ..actors.meta_rows import MetaContent, parse
from ..actors.store_io import load_manifest
from ..coordination.layout import Registry
from ..errors import (
    ClusterError,
    CorruptionError,
    MasterNotRunningError,
    RaybaseError,
    StorageError,
)
from ..model import META_REGION
from ..runtime import Clock, FileSystem

LOOKS: Final = 3
PAUSE_S: Final = 2.0
"""Between two looks at a running cluster: only what is found each time is told."""
COORDINATOR: Final = "coordinator"
_CALL_TIMEOUT_S: Final = 10.0
_MEND_TIMEOUT_S: Final = 60.0
_ROUNDS: Final = 5
"""One mend may bring to light what another one is about."""

Say = Callable[[str], None]


class ControlCall(Protocol):
    """A control call to a process of a running cluster, by name."""

    async def __call__(
        self, process: str, method: str, *args: Any, timeout_s: float | None = None
    ) -> Any: ...


class FsckCommand:
    """One run of the command.

    Args:
        files: the root.
        clock: for the pauses between looks.
        call: reaches the cluster that runs there; None: it is stopped.
        say: takes lines for the user.
    """

    def __init__(self, files: FileSystem, clock: Clock, call: ControlCall | None, say: Say) -> None:
        self._files = files
        self._clock = clock
        self._call = call
        self._say = say
        self._sound = StoreFileCheck(files)
        self.cells = 0
        """So many the last look has read."""

    async def run(self, *, repair: bool) -> bool:
        """Whether nothing is (left) that breaks an invariant.

        Raises ClusterError if somebody is just starting a cluster on the root.
        """
        if self._call is None and not await self._files.try_lock(LOCK_FILE):
            raise ClusterError("the root has come into use; run fsck again")
        report = await self._look()
        if repair:
            report = await self._repair(report)
        self._tell(report, repair=repair)
        return not report.problems

    # -- looking ---------------------------------------------------------------------------

    async def _look(self) -> Report:
        """What each of some looks in a row has found: a cluster at work is never quite still."""
        report = await self._look_once()
        for _ in range(LOOKS - 1 if self._call is not None else 0):
            if not report.findings:
                break
            await self._clock.sleep(PAUSE_S)
            again = await self._look_once()
            again.keep(report.findings)
            report = again
        return report

    async def _look_once(self) -> Report:
        report = await self._look_at_regions()
        await check_coordinator(self._files, report)
        return report

    async def _look_at_regions(self) -> Report:
        """And at procedures: whether they are about what hbase:meta has."""
        report = Report()
        serving: dict[str, list[str]] | None = None
        try:
            if self._call is None:
                content = await read_meta_files(self._files)
            else:
                members = await self._members(self._call)
                content = await self._meta(self._call, members)
                serving = await _serving(self._call, members)
        except (CorruptionError, StorageError) as error:
            report.add(Kind.META_UNREADABLE, "hbase:meta", f"hbase:meta cannot be read: {error}")
            await check_procedures(self._files, None, report)
            return report
        report = await Fsck(self._files, content, serving, store_check=self._sound).run()
        await check_procedures(self._files, content, report)
        return report

    async def _members(self, call: ControlCall) -> dict[str, str]:
        """Server name -> process of every region server that is registered."""
        registry: Registry = await call(COORDINATOR, "registry")
        return {str(one.server): one.process for one in registry.region_servers}

    async def _meta(self, call: ControlCall, members: Mapping[str, str]) -> MetaContent:
        manifest = await load_manifest(self._files, META_REGION)
        owner = manifest.owner if manifest is not None else ""
        if owner not in members:
            raise StorageError(f"its owner, {owner or 'nobody'}, is not alive")
        try:
            cells = await call(members[owner], "read_meta", b"", b"", timeout_s=_CALL_TIMEOUT_S)
        except RaybaseError as error:
            raise StorageError(f"{owner} does not serve it: {error}") from error
        return parse(cells)

    # -- mending ---------------------------------------------------------------------------

    async def _repair(self, report: Report) -> Report:
        """Mends what can be, and looks again, until nothing more can be done."""
        tried: dict[Finding, None] = {}
        for _ in range(_ROUNDS):
            todo = [(one, mend) for one in report.findings if (mend := self._mend_of(one))]
            todo = [(one, mend) for one, mend in todo if one not in tried]
            if not todo:
                break
            for finding, mend in todo:
                tried[finding] = None
                await self._mend(finding, mend)
            report = await self._look()
        return report

    def _mend_of(self, finding: Finding) -> Mend | None:
        mend = mend_of(finding)
        if mend is not None and self._call is None and mend.act not in ON_FILES:
            return None
        return mend

    async def _mend(self, finding: Finding, mend: Mend) -> None:
        try:
            done = await self._do(mend.act, finding.subject)
        except (RaybaseError, OSError) as error:
            self._say(f"not mended: {finding.text}: {error}")
        else:
            self._say(f"mended: {finding.text}: {done} ({mend.why})")

    async def _do(self, act: Act, subject: str) -> str:
        if self._call is None:
            mender = FileMender(self._files)
            if act is Act.PUT_BACK:
                return await mender.put_back(subject)
            return "; ".join(await mender.archive([subject]))
        registry: Registry = await self._call(COORDINATOR, "registry")
        if registry.master is None:
            raise MasterNotRunningError("no master is active at the moment; repair again")
        master = registry.master.process
        return str(await self._call(master, "mend", act, subject, timeout_s=_MEND_TIMEOUT_S))

    # -- telling ---------------------------------------------------------------------------

    def _tell(self, report: Report, *, repair: bool) -> None:
        self.cells = report.cells
        problems = [one for one in report.findings if not one.kind.is_garbage]
        garbage = [one for one in report.findings if one.kind.is_garbage]
        for one in problems:
            self._say(f"problem: {one.kind}: {one.text}")
            self._say(f"    {self._advice(one, repair=repair)}")
        for kind, count in Counter(one.kind for one in garbage).items():
            few = [one for one in garbage if one.kind is kind][:3]
            examples = ", ".join(one.subject for one in few) + (", ..." if count > 3 else "")
            self._say(f"garbage: {count} x {kind} (harmless): {examples}")
            self._say(f"    {self._advice(few[0], repair=repair)}")
        self._say(
            f"{len(problems)} problems, {len(garbage)} pieces of garbage in {report.regions} "
            f"regions, {report.files} files, {report.cells} cells"
        )

    def _advice(self, finding: Finding, *, repair: bool) -> str:
        mend = self._mend_of(finding)
        if mend is not None and not repair:
            return f"--repair mends it ({mend.why})"
        return f"left as it is: {refusal_of(finding, stopped=self._call is None)}"


async def _serving(call: ControlCall, members: Mapping[str, str]) -> dict[str, list[str]]:
    """Server -> encoded names of the regions it serves; of one that is silent, none."""
    serving: dict[str, list[str]] = {}
    for server, process in members.items():
        serving[server] = []
        with suppress(RaybaseError):
            status: ServerStatus = await call(process, "status", timeout_s=_CALL_TIMEOUT_S)
            open_there = [one for one in status.regions if one.state is RegionState.OPEN]
            serving[server] = [one.encoded for one in open_there]
    return serving
