"""Changes of a table's families, as functions that change a mapping by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import IllegalArgumentError, NoSuchFamilyError
from ..model import FamilyDescriptor
from .arguments import as_family_options

FamilyChange = Callable[[dict[bytes, FamilyDescriptor]], None]


def add_family(family: FamilyDescriptor) -> FamilyChange:
    """Raises IllegalArgumentError, when run, if there is one of that name."""

    def change(families: dict[bytes, FamilyDescriptor]) -> None:
        if family.name in families:
            raise IllegalArgumentError(f"there is a column family {family.name!r} already")
        families[family.name] = family

    return change


def modify_family(name: bytes, options: Mapping[str, Any]) -> FamilyChange:
    """Changes these options. Of attributes and configuration the pairs given change, and those
    with an empty value go.

    Raises NoSuchFamilyError, when run, if there is none of that name.
    """

    def change(families: dict[bytes, FamilyDescriptor]) -> None:
        known = _known(families, name)
        chosen = as_family_options(options)
        for field, pairs in (
            ("attributes", known.attributes),
            ("configuration", known.configuration),
        ):
            if field in chosen:
                merged = {**pairs, **chosen[field]}
                chosen[field] = {key: text for key, text in merged.items() if text}
        try:
            families[name] = replace(known, **chosen)
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
