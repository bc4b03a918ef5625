"""The form of a recipe: what a session does step by step, without the doing.

A recipe is a generator. It yields an operation and is sent its result, or has the operation's
CoordinationError thrown in; it yields WATCH to go on once a watch that it has set fires (or
for no reason: it must look again). What it returns is what it was after. Nothing in it waits,
so a test drives it by hand, and actors/session.py drives it over the network.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import Any, Final, TypeVar

from .requests import Operation

T = TypeVar("T")


class Watch(Enum):
    """The step that waits."""

    FIRED = "fired"


WATCH: Final = Watch.FIRED
Recipe = Generator[Operation | Watch, Any, T]
