"""Every store file that a unit test writes is read again by the second reader."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from raybase.storage.hfile import HFileImage, HFileWriter
from raybase.storage.tags import tags_of
from raybase.storage.window import Window

CELLS_MAX = 1000
"""Of files with more, one in ten is read: it takes 10 us a cell."""


def second_reader() -> ModuleType:
    path = Path(__file__).parents[1] / "second_reader.py"
    specification = importlib.util.spec_from_file_location("second_reader", path)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class _WatchedWriter:
    """Stands in for the methods of HFileWriter: they do what they did, and their file is read."""

    def __init__(self) -> None:
        self._reader = second_reader()
        self._append, self._drain = HFileWriter.append_window, HFileWriter.drain
        self._finish = HFileWriter.finish
        self._cells: dict[int, list[tuple[bytes, bytes]]] = {}
        self._drained: dict[int, list[bytes]] = {}
        self._large = 0
        self.watches = True

    def append_window(self, writer: HFileWriter, window: Window) -> None:
        self._append(writer, window)
        if self.watches:
            cells = zip(window.keys, window.values, strict=True)
            self._cells.setdefault(id(writer), []).extend(cells)

    def drain(self, writer: HFileWriter) -> bytes:
        data = self._drain(writer)
        if self.watches:
            self._drained.setdefault(id(writer), []).append(data)
        return data

    def finish(self, writer: HFileWriter, **options: Any) -> HFileImage:
        image = self._finish(writer, **options)
        if not self.watches:
            return image
        # Finishing drains what is left.
        data = b"".join(self._drained.pop(id(writer)))
        cells = self._cells.pop(id(writer), [])
        assert data.endswith(image.data)
        self._large += len(cells) > CELLS_MAX
        if len(cells) <= CELLS_MAX or self._large % 10 == 1:
            self._check(data, cells)
        return image

    def _check(self, data: bytes, cells: list[tuple[bytes, bytes]]) -> None:
        read = self._reader.SecondReader(data).cells
        assert [self._reader.cell_key(cell) for cell in read] == [key for key, _ in cells]
        assert [cell.value for cell in read] == [value for _, value in cells]
        assert [cell.tags for cell in read] == [tags_of(value) for _, value in cells]


@pytest.fixture(scope="session", autouse=True)
def _read_every_file_twice() -> Iterator[_WatchedWriter]:
    watched = _WatchedWriter()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("append_window", "drain", "finish"):
            method = getattr(watched, name)

            def call(
                writer: HFileWriter, *arguments: Any, _method: Any = method, **more: Any
            ) -> Any:
                return _method(writer, *arguments, **more)

            patch.setattr(HFileWriter, name, call)
        yield watched


@pytest.fixture
def files_unwatched(_read_every_file_twice: _WatchedWriter) -> Iterator[None]:
    """For a test of how much memory a writer needs: watching keeps whole files."""
    _read_every_file_twice.watches = False
    yield
    _read_every_file_twice.watches = True
