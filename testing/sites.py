"""Naming the place in the product at which something happens."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import PurePath
from types import FrameType
from typing import Final

_PROJECT: Final = PurePath(__file__).parent.parent
_SEAM: Final = tuple(
    str(_PROJECT / "testing" / name) for name in ("files.py", "remote.py", "tasks.py")
)
_PRODUCT: Final = ("actors", "client", "coordination", "rpc", "storage")
HELPERS: Final = (
    "store_io.put_manifest",
    "store_io.commit_manifest",
    "file_pieces.write_pieces",
    "shortage.persist",
    "hosted_region.HostedRegion.commit",
    "hosted_region.HostedRegion.commit.<locals>.<lambda>",
    "log_writer.LogWriter._append_with_room",
)
"""These work for many: the site is who called them."""


def call_site(call: str) -> str:
    """``module.function: operation/verb`` of whoever is making ``call`` on the world.

    The function is the innermost one of the product that is no helper, the operation what is
    asked of the runtime, the verb what that does to the world now: the first word of ``call``.
    A coroutine's frame lies directly below that of the one which awaits it, so the stack tells
    also after a wait.
    """
    operation = "?"
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, and there is no other
    while frame is not None:
        code = frame.f_code
        if code.co_filename in _SEAM:
            operation = code.co_name
        elif module := _module(code.co_filename):
            caller = f"{module}.{code.co_qualname}"
            if caller not in HELPERS:
                return f"{caller}: {operation}/{call.split()[0]}"
        frame = frame.f_back
    return f"some task: {operation}/{call.split()[0]}"


@cache
def _module(filename: str) -> str | None:
    """The module's name if it is the product's."""
    path = PurePath(filename)
    if not path.is_relative_to(_PROJECT):
        return None
    return path.stem if path.relative_to(_PROJECT).parts[0] in _PRODUCT else None
