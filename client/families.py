"""Changes of a table's families, as functions that change a mapping by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import IllegalArgumentError, NoSuchFamilyError
from ..model import FamilyDescriptor

FamilyChange = Callable[[dict[bytes, FamilyDescriptor]], None]


def add_family(family: FamilyDescriptor) -> FamilyChange:
    """Raises IllegalArgumentError, when run, if there is one of that name."""

    def change(families: dict[bytes, FamilyDescriptor]) -> None:
        if family.name in families:
            raise IllegalArgumentError(f"there is a column family {family.name!r} already")
        families[family.name] = family

    return change


def modify_family(name: bytes, options: Mapping[str, Any]) -> FamilyChange:
    """Raises NoSuchFamilyError, when run, if there is none of that name."""

    def change(families: dict[bytes, FamilyDescriptor]) -> None:
        try:
            families[name] = replace(_known(families, name), **options)
        except TypeError as error:
            raise IllegalArgumentError(f"not an option of a column family: {error}") from None

    return change


def drop_family(name: bytes) -> FamilyChange:
    """Raises NoSuchFamilyError, when run, if there is none of that name."""

    def change(families: dict[bytes, FamilyDescriptor]) -> None:
        del families[_known(families, name).name]

    return change


def _known(families: Mapping[bytes, FamilyDescriptor], name: bytes) -> FamilyDescriptor:
    if name not in families:
        raise NoSuchFamilyError(
            f"there is no column family {name!r}; the table has {sorted(families)}"
        )
    return families[name]
