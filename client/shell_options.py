"""Arguments of the shell's commands, from HBase's names of options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..errors import IllegalArgumentError
from ..model import FamilyDescriptor
from .shell_parser import Line, number

FAMILY_NUMBERS: Final = {
    "VERSIONS": "max_versions",
    "MIN_VERSIONS": "min_versions",
    "TTL": "ttl_s",
    "BLOCKSIZE": "block_bytes",
}
FAMILY_TEXTS: Final = {
    "KEEP_DELETED_CELLS": "keep_deleted_cells",
    "BLOOMFILTER": "bloom",
    "COMPRESSION": "compression",
}
FAMILY_SWITCHES: Final = {
    "NEW_VERSION_BEHAVIOR": "new_version_behavior",
    "IN_MEMORY": "in_memory",
    "BLOCKCACHE": "cache_blocks",
}
FAMILY_OPTIONS: Final = {**FAMILY_NUMBERS, **FAMILY_TEXTS, **FAMILY_SWITCHES}
FAMILY_ATTRIBUTES: Final = ("DATA_BLOCK_ENCODING", "REPLICATION_SCOPE")
"""HBase's options that are kept with a family, and mean nothing here."""
FAMILY_SETTINGS: Final = {
    "RowPrefixBloomFilter.prefix_length": "bloom_prefix_bytes",
    "raybase.file.format": "file_format",
}
"""Keys of a family's CONFIGURATION that are fields of its descriptor."""
TABLE_OPTIONS: Final = {"MAX_FILESIZE": "region_bytes_max", "MEMSTORE_FLUSHSIZE": "flush_bytes"}
TABLE_ATTRIBUTES: Final = ("SPLIT_POLICY", "FLUSH_POLICY", "SPLIT_ENABLED", "COMPACTION_ENABLED")
"""HBase's options that are kept with a table and read by its servers."""
READ_OPTIONS: Final = {
    "COLUMN",
    "COLUMNS",
    "VERSIONS",
    "TIMERANGE",
    "TIMESTAMP",
    "FILTER",
}
SCAN_OPTIONS: Final = READ_OPTIONS | {
    "STARTROW",
    "STOPROW",
    "ROWPREFIXFILTER",
    "LIMIT",
    "REVERSED",
    "CACHE",
    "BATCH",
    "RAW",
}


def argument(line: Line, index: int, what: str) -> bytes:
    """A value of the line. Raises IllegalArgumentError if it is missing."""
    if index >= len(line.values) or not isinstance(line.values[index], bytes):
        raise IllegalArgumentError(
            f"{line.command} needs {what}; `help {line.command}` shows how it is written"
        )
    return bytes(line.values[index])


def arguments(line: Line, *what: str) -> tuple[bytes, ...]:
    return tuple(argument(line, index, one) for index, one in enumerate(what))


def string(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def target_of(name: bytes) -> str | bytes:
    """A region's name may hold any bytes; a table's is text."""
    return name if b"," in name else string(name)


def flat(values: Iterable[Any]) -> list[bytes]:
    return [inner for one in values for inner in (one if isinstance(one, list) else [one])]


def families_of(maps: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Families with options, of the maps that name one."""
    families: dict[str, dict[str, Any]] = {}
    for one in maps:
        if "NAME" not in one:
            continue
        families[string(one["NAME"])] = _family_fields(one)
    return families


def _family_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Fields of FamilyDescriptor from HBase's names of options."""
    known = (*FAMILY_OPTIONS, *FAMILY_ATTRIBUTES, "CONFIGURATION")
    unknown = sorted(set(options) - {"NAME", "METHOD", *known})
    if unknown:
        raise IllegalArgumentError(
            f"{unknown[0]} is not an option of a family; there are {', '.join(known)}"
        )
    found: dict[str, Any] = {}
    for option, value in options.items():
        if option in FAMILY_NUMBERS:
            found[FAMILY_NUMBERS[option]] = number(option, value)
        elif option in FAMILY_TEXTS:
            found[FAMILY_TEXTS[option]] = string(value)
        elif option in FAMILY_SWITCHES:
            found[FAMILY_SWITCHES[option]] = switch(option, value)
    attributes = {one: string(options[one]) for one in FAMILY_ATTRIBUTES if one in options}
    if attributes:
        found["attributes"] = attributes
    settings = configuration_of(options)
    if "raybase.file.format" in settings:
        found["file_format"] = settings.pop("raybase.file.format")
    if "RowPrefixBloomFilter.prefix_length" in settings:
        text = settings.pop("RowPrefixBloomFilter.prefix_length")
        found["bloom_prefix_bytes"] = number("RowPrefixBloomFilter.prefix_length", text)
    if settings:
        found["configuration"] = settings
    return found


def configuration_of(options: dict[str, Any]) -> dict[str, str]:
    """The pairs of CONFIGURATION => {'key' => 'value'}."""
    pairs = options.get("CONFIGURATION", {})
    if not isinstance(pairs, dict):
        raise IllegalArgumentError("CONFIGURATION takes pairs: {'key' => 'value'}")
    return {key: string(value) for key, value in pairs.items()}


def switch(option: str, value: Any) -> bool:
    """A switch written with or without quotes. Raises IllegalArgumentError."""
    found = {"true": True, "false": False}.get(string(value).lower())
    if found is None:
        raise IllegalArgumentError(f"{option} is true or false, not {string(value)!r}")
    return found


def table_options(line: Line) -> dict[str, Any]:
    """What the pairs outside of family maps say of the table: descriptor fields and splits."""
    own = {"SPLITS", "CONFIGURATION", *TABLE_OPTIONS, *TABLE_ATTRIBUTES}
    unknown = sorted(set(line.options) - own)
    if unknown:
        names = ", ".join(sorted(own))
        raise IllegalArgumentError(f"{unknown[0]} is not an option of a table; there are {names}")
    found: dict[str, Any] = {
        field: number(option, line.options[option])
        for option, field in TABLE_OPTIONS.items()
        if option in line.options
    }
    attributes = {one: line.options[one] for one in TABLE_ATTRIBUTES if one in line.options}
    found["attributes"] = {option: string(value) for option, value in attributes.items()}
    found["configuration"] = configuration_of(line.options)
    splits = line.options.get("SPLITS", [])
    if not isinstance(splits, list):
        raise IllegalArgumentError("SPLITS takes a list: SPLITS => ['a', 'b']")
    return {"splits": splits, **found}


def read_options(line: Line, allowed: set[str]) -> dict[str, Any]:
    """Arguments of a read from HBase's option names."""
    unknown = sorted(set(line.options) - allowed)
    if unknown:
        names = ", ".join(sorted(allowed))
        raise IllegalArgumentError(
            f"{unknown[0]} is not an option of {line.command}; there are {names}"
        )
    found: dict[str, Any] = {}
    options = line.options
    columns = options.get("COLUMNS", options.get("COLUMN"))
    if columns is not None:
        found["columns"] = columns
    if "VERSIONS" in options:
        found["versions"] = number("VERSIONS", options["VERSIONS"])
    if "TIMESTAMP" in options:
        found["timestamp"] = number("TIMESTAMP", options["TIMESTAMP"])
    if "TIMERANGE" in options:
        bounds = options["TIMERANGE"]
        if not isinstance(bounds, list) or len(bounds) != 2:
            raise IllegalArgumentError("TIMERANGE takes two numbers: [from, to]")
        found["time_range"] = tuple(number("TIMERANGE", one) for one in bounds)
    if "FILTER" in options:
        found["filter"] = options["FILTER"]
    return found


def scan_options(line: Line) -> dict[str, Any]:
    found = read_options(line, SCAN_OPTIONS)
    options = line.options
    for option, name in (
        ("STARTROW", "start"),
        ("STOPROW", "stop"),
        ("ROWPREFIXFILTER", "prefix"),
    ):
        if option in options:
            found[name] = options[option]
    for option, name in (("LIMIT", "limit"), ("CACHE", "caching"), ("BATCH", "batch")):
        if option in options:
            found[name] = number(option, options[option])
    for option, name in (("REVERSED", "reversed"), ("RAW", "raw")):
        if option in options:
            found[name] = options[option] is True
    return found


def option_text(family: FamilyDescriptor, field: str) -> str:
    value = getattr(family, field)
    return "for ever" if field == "ttl_s" and not value else str(value)


def other_options(family: FamilyDescriptor) -> str:
    """What is not as it is by default, besides the numbers."""
    usual = FamilyDescriptor(family.name)
    found = {}
    for option, field in (FAMILY_TEXTS | FAMILY_SWITCHES | FAMILY_SETTINGS).items():
        value = getattr(family, field)
        if value != getattr(usual, field):
            found[option] = str(value).lower() if isinstance(value, bool) else str(value)
    found |= {**family.attributes, **family.configuration}
    return ", ".join(f"{option} {value}" for option, value in found.items())
