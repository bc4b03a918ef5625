"""Mends that move files: unused ones to the archive, needed ones back from it."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import CorruptionError, UnsupportedOperationError
from ...runtime import FileSystem
from ..archiver import archive_directory, archive_file
from ..store_io import RECOVERED_EDITS, archive_path, load_manifest_in
from .root_tree import region_directories, store_files


class FileMender:
    """Looks at every manifest under the root before it moves anything.

    A manifest that cannot be read may name any file, so nothing is archived then. A file that
    a manifest comes to name in the very moment in which it is archived is read from there.
    """

    def __init__(self, files: FileSystem) -> None:
        self._files = files

    async def archive(self, paths: Sequence[str]) -> list[str]:
        """Moves store files, or region directories that nobody needs; says what was done.

        Raises UnsupportedOperationError if one of them is in use, or may be.
        """
        named = await self._named()
        done = []
        for path in paths:
            is_directory = bool(await self._files.list(path))
            users = await self._users(path, named, is_directory=is_directory)
            if users:
                raise UnsupportedOperationError(f"{path} is not moved: {users[0]}")
            if is_directory:
                await archive_directory(self._files, path)
            else:
                await archive_file(self._files, path)
            done.append(f"{path} went to the archive")
        return done

    async def _users(self, path: str, named: dict[str, str], *, is_directory: bool) -> list[str]:
        """Why it may be needed."""
        if not is_directory:
            return [f"the manifest of {named[path]} names it"] if path in named else []
        inside = await store_files(self._files, path)
        found = [
            f"the manifest of {named[one]} names {one}"
            for one in inside
            if named.get(one, path) != path
        ]
        if await self._files.list(f"{path}/{RECOVERED_EDITS}"):
            found.append("it has recovered edits that nobody has replayed")
        return found

    async def _named(self) -> dict[str, str]:
        """Path of every file that a manifest names -> directory of a region that does, a
        stranger to the file if there is one."""
        named: dict[str, str] = {}
        for directory in await region_directories(self._files):
            try:
                manifest = await load_manifest_in(self._files, directory.path)
            except CorruptionError as error:
                raise UnsupportedOperationError(
                    f"nothing is archived while a manifest cannot be read: {error}"
                ) from None
            for path in manifest.paths if manifest is not None else ():
                own = path.startswith(f"{directory.path}/")
                if not own or path not in named:
                    named[path] = directory.path
        return named

    async def put_back(self, path: str) -> str:
        """Moves a file from the archive to where a manifest says it is; says what was done.

        Raises UnsupportedOperationError if no manifest names it.
        """
        if path not in await self._named():
            raise UnsupportedOperationError(f"no manifest names {path} any more")
        if await self._files.exists(path):
            return f"{path} is at its place"
        await self._files.rename(archive_path(path), path)
        return f"{path} is back from the archive"
