"""A deliberate bug: what it changes, why that is wrong, and which check must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock


@dataclass(frozen=True, slots=True)
class Patch:
    """``replacement(original)`` takes the place of ``owner.attribute``."""

    owner: Any
    """A class or a module."""
    attribute: str
    replacement: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug that can be switched on::

    with MUTANTS["ack before sync"].applied():
        assert CHECKS["images of append"]()
    """

    name: str
    why_wrong: str
    found_by: str
    """Name of the check, see checks.py."""
    patches: tuple[Patch, ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the product has the bug. AttributeError if there is no such place
        any more."""
        with ExitStack() as stack:
            for one in self.patches:
                original = getattr(one.owner, one.attribute)
                replaced = one.replacement(original)
                stack.enter_context(mock.patch.object(one.owner, one.attribute, replaced))
            yield
