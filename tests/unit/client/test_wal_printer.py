"""`raybase wal`: logs that the engine wrote, as people and as programs read them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from raybase.actors.log_writer import LogWriter
from raybase.actors.posix import PosixFiles
from raybase.actors.system import SystemClock, SystemEntropy
from raybase.client.cli import main
from raybase.config import StoreConfig, WalConfig
from raybase.model import (
    META_TABLE,
    Durability,
    FamilyDescriptor,
    RegionInfo,
    TableDescriptor,
    TableName,
)
from raybase.operations import Delete, Increment, Mutation, Put
from raybase.runtime import Runtime
from raybase.storage.block_cache import BlockCache
from raybase.storage.manifest import Manifest
from raybase.storage.region import Region
from raybase.storage.tags import TaggedValue, ttl_tag
from raybase.storage.wal import WalEncoder

NOW_MS = 1_700_000_000_123
WRITTEN = "Tue Nov 14 22:13:20.123 UTC 2023"
INFO = RegionInfo(TableName.parse("ns:t"), region_id=1)
NAME = INFO.encoded_name
HEAD, BATCH = 20, 44
"""Bytes of the heads of a log and of a batch."""


def region_of(info: RegionInfo) -> Region:
    table = TableDescriptor(info.table, (FamilyDescriptor(b"f"), FamilyDescriptor(b"g")))
    files: dict[bytes, list[object]] = {}
    return Region(info, table, Manifest(1, info), files, StoreConfig(), BlockCache(0))  # type: ignore[arg-type]


def records() -> list[bytes]:
    """One record of each kind that a region makes."""
    region = region_of(INFO)
    tagged = TaggedValue(b"v\x00", ttl_tag(9))
    increment = Increment(b"r2").add(b"f", b"n", 5)
    increment.nonce = 0xAB
    writes = [
        region.write([Put(b"r1").add(b"f", b"q", tagged, 7).add(b"g", b"", b"w")], NOW_MS),
        region.write(
            [Delete(b"r1").column(b"f", b"q", 6), Delete(b"r\xff").family(b"g", 5)], NOW_MS + 1
        ),
        region.read_modify_write([increment], NOW_MS + 2, None, 0xCD),
        region.write([Delete(b"r3").family_version(b"f", 4)], NOW_MS + 3),
    ]
    return [write.record for write in writes]


def log_of(batches: Sequence[Sequence[bytes]], *, torn_bytes: int = 0) -> bytes:
    """A log whose every batch was durable before the next."""
    encoder = WalEncoder(5)
    data = encoder.begin()
    for batch in batches:
        data += encoder.batch(batch, len(data))
    return data[: len(data) - torn_bytes]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    first, *others = records()
    path = tmp_path / "1"
    path.write_bytes(log_of([[first], others, []]))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["wal", *map(str, arguments)])


def test_a_record_is_printed_as_hbase_prints_it(log: Path) -> None:
    result = run(log, "-p", "-s", 1)
    assert result.exit_code == 0, result.output
    end = HEAD + BATCH + len(records()[0])
    assert result.stdout.splitlines() == [
        f"Sequence=1, table=ns:t, region={NAME}, at write timestamp=" + WRITTEN,
        "row=r1, column=f:q, timestamp=7, type=Put",
        "    tag: [8:\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x09]",
        "    value: v\\x00",
        f"cell total size sum: {24 + 2 + 11}",
        f"row=r1, column=g:, timestamp={NOW_MS}, type=Put",
        "    value: w",
        f"cell total size sum: {23 + 1}",
        f"edit size: {24 + 2 + 11 + 24}",
        f"position: {end}",
    ]


def test_deletes_have_their_kinds_and_nonces_are_shown(log: Path) -> None:
    lines = run(log).stdout.splitlines()
    cells = [line for line in lines if line.startswith("row=")][2:]
    assert cells == [
        "row=r1, column=f:q, timestamp=6, type=DeleteColumn",
        "row=r\\xFF, column=g:, timestamp=5, type=DeleteFamily",
        f"row=r2, column=f:n, timestamp={NOW_MS + 2}, type=Put",
        "row=r3, column=f:, timestamp=4, type=DeleteFamilyVersion",
    ]
    heads = [line for line in lines if line.startswith("Sequence=")]
    assert [", nonce=cd:ab" in head for head in heads] == [False, False, True, False]
    assert not any("value:" in line for line in lines)


def test_json_is_one_list_over_all_files(log: Path) -> None:
    result = run(log, log, "-j", "-p")
    shown = json.loads(result.stdout)
    assert [one["sequence"] for one in shown] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert shown[0]["actions"][0] == {
        "row": "r1",
        "family": "f",
        "qualifier": "q",
        "timestamp": 7,
        "type": "Put",
        "vlen": 2,
        "total_size_sum": 37,
        "tag": ["8:\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x09"],
        "value": "v\\x00",
    }
    assert (shown[2]["nonceGroup"], shown[2]["nonce"]) == (0xCD, 0xAB)
    assert shown[0]["table"] == "ns:t"
    assert shown[0]["region"] == NAME
    assert shown[3]["position"] == log.stat().st_size - BATCH


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["-w", "r1"], ["r1", "r1", "r1"]),
        (["-w", "r\\xFF"], ["r\\xFF"]),
        (["-f", "r"], ["r1", "r1", "r1", "r\\xFF", "r2", "r3"]),
        (["-f", "r2"], ["r2"]),
        (["-t", "other,ns:t", "-s", "4"], ["r3"]),
        (["-t", "other"], []),
        (["-r", NAME, "-s", "3"], ["r2"]),
        (["-r", "other"], []),
        (["-s", "99"], []),
        (["-g", f"{HEAD + BATCH + 1}"], ["r1", "r\\xFF", "r2", "r3"]),
    ],
)
def test_options_choose_records_and_cells(log: Path, options: list[str], rows: list[str]) -> None:
    assert run(log, "-k", *options).stdout.splitlines() == [f"row={row}" for row in rows]
    shown = json.loads(run(log, "-j", "-k", *options).stdout)
    assert [action["row"] for one in shown for action in one["actions"]] == rows


def test_rows_of_hbase_meta_are_printed_as_they_were_given(tmp_path: Path) -> None:
    row = b"t,\x01,,1.abc."
    write: list[Mutation] = [Put(row).add(b"f", b"q", b"v")]
    record = region_of(RegionInfo(META_TABLE, region_id=1)).write(write, NOW_MS).record
    path = tmp_path / "meta.1"
    path.write_bytes(log_of([[record]]))
    assert run(path, "-k").stdout == "row=t,\\x01,,1.abc.\n"


def test_damage_is_told_in_one_line_after_all_that_is_whole(log: Path) -> None:
    first, second, *_ = records()
    data = bytearray(log.read_bytes())
    at = HEAD + BATCH + len(first) + BATCH + len(second)
    data[at + 20] ^= 1
    log.write_bytes(bytes(data))
    for options in ([], ["-j"]):
        result = run(log, *options)
        assert result.exit_code == 1
        assert result.stderr == (
            f"raybase: a record is damaged, and it was durable once (file {log}, offset {at})\n"
        )
    assert [one["sequence"] for one in json.loads(result.stdout)] == [1, 2]


def test_a_torn_tail_is_the_end_of_a_log_and_is_said_to_be_one(tmp_path: Path) -> None:
    first, second, *_ = records()
    path = tmp_path / "1"
    path.write_bytes(log_of([[first], [second]], torn_bytes=3))
    result = run(path, "-k")
    assert result.exit_code == 0
    assert result.stdout == "row=r1\nrow=r1\n"
    end = HEAD + BATCH + len(first) + BATCH
    assert result.stderr == (
        f"raybase: {path}: the log ends at offset {end}; {len(second) - 3} bytes of a write "
        "that never ended\n"
    )


def test_logs_that_a_server_wrote_and_rolled_are_printed(tmp_path: Path) -> None:
    files = PosixFiles(str(tmp_path))
    unused: Any = None
    runtime = Runtime(SystemClock(), SystemEntropy(), files, unused, unused, unused, unused)

    async def write() -> None:
        log = LogWriter(
            runtime, "host,1,1", "", WalConfig(roll_bytes=300), pytest.fail, pytest.fail
        )
        await log.start()
        for number, record in enumerate(records(), 1):
            log.submit(record, NAME, number, Durability.SYNC_WAL, lambda: None)
            await log.barrier()
        await log.close()

    asyncio.run(write())
    files.close()
    written = sorted((tmp_path / "WALs" / "host,1,1").iterdir())
    assert len(written) > 1
    result = run(*written, "-j")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [one["sequence"] for one in json.loads(result.stdout)] == [1, 2, 3, 4]


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"PWAL and so on, which HBase wrote")
    result = run(path)
    assert result.exit_code == 1
    assert "no write-ahead log of raybase's" in result.stderr
    assert str(path) in result.stderr
    result = run(tmp_path / "missing")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No such file" in result.stderr
    assert run(tmp_path).exit_code == 1


def test_a_log_without_records_prints_nothing(tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(b"")
    assert (run(path).exit_code, run(path).output) == (0, "")
    path.write_bytes(WalEncoder(3).begin())
    assert (run(path, "-j").exit_code, run(path, "-j").stdout) == (0, "[]\n")


def test_row_and_prefix_exclude_each_other(log: Path) -> None:
    result = run(log, "-w", "a", "-f", "b")
    assert result.exit_code == 2
    assert "together" in result.stderr
