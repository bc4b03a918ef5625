"""`raybase hfile` against what HBase's printer printed of the same files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from raybase.client.cli import main
from raybase.client.hfile_text import binary_bytes, binary_text, percent_text
from raybase.model import BloomType, FamilyDescriptor, FileFormat
from raybase.storage.hfile import HFileWriter
from raybase.storage.key import PLAIN_ROWS, cell_key
from raybase.storage.tags import TaggedValue, ttl_tag

FOLDER = Path(__file__).parents[2] / "fixtures" / "hbase"
PRINTED = sorted(path.name for path in (FOLDER / "printed").iterdir())
ALL_OPTIONS = ("-v", "-p", "-m", "-b", "-h", "-k", "-s", "-d")


def hfile(monkeypatch, folder, *arguments):
    monkeypatch.chdir(folder)
    return CliRunner().invoke(main, ["hfile", *arguments])


def only_about_the_file(text):
    """Without what HBase says of its own memory and objects."""
    text = re.sub(r"Block index size as per heapsize: \d+", "", text)
    return re.sub(r", fileContext=\[.*\](?=, nextBlock)", "", text)


@pytest.mark.parametrize("name", PRINTED)
def test_a_file_is_printed_as_hbase_prints_it(monkeypatch, name):
    file, letters, _ = name.rsplit(".", 2)
    letters, _, row = letters.partition("w")
    options = [f"-{letter}" for letter in letters] + (["-w", row] if row else [])
    result = hfile(monkeypatch, FOLDER / "hfiles", *options, "-f", f"{file}.hfile")
    assert result.exit_code == 0, result.output
    expected = (FOLDER / "printed" / name).read_text()
    assert only_about_the_file(result.output) == only_about_the_file(expected)


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_our_own_files_are_printed_too(monkeypatch, tmp_path, file_format):
    family = FamilyDescriptor(b"f", block_bytes=256, bloom=BloomType.ROW, file_format=file_format)
    writer = HFileWriter(family, PLAIN_ROWS, index_block_bytes=128)
    values = [TaggedValue(b"v%d" % n, ttl_tag(7)) if n % 5 == 0 else b"v%d" % n for n in range(50)]
    writer.append([cell_key(b"row%02d" % n, b"q", n, 4, n) for n in range(50)], values)
    (tmp_path / "f").write_bytes(writer.finish(max_sequence_id=9).data)
    result = hfile(monkeypatch, tmp_path, *ALL_OPTIONS, "f")
    assert result.exit_code == 0, result.output
    column = "q" if file_format is FileFormat.COLUMNAR else "f:q"
    assert f"K: row05/{column}/5/Put/vlen=2/seqid=5 V: v5 T[0]: [Tag type : 8" in result.output
    assert "entryCount=50" in result.output
    assert "blockType=LEAF_INDEX" in result.output
    assert "Key of biggest row: row10" in result.output
    assert "Scanned kv count -> 50" in result.output


@pytest.mark.parametrize("content", [b"", b"no HFile", bytes(5000)])
def test_what_is_no_hfile_gets_one_line(monkeypatch, tmp_path, content):
    (tmp_path / "it").write_bytes(content)
    result = hfile(monkeypatch, tmp_path, *ALL_OPTIONS, "it")
    assert result.exit_code == 1
    assert re.fullmatch(r"Scanning -> it\nraybase: .*it.*\n", result.output)


def test_a_damaged_file_names_file_offset_and_reason(monkeypatch, tmp_path):
    data = bytearray((FOLDER / "hfiles" / "none_gz.hfile").read_bytes())
    data[400] ^= 1
    (tmp_path / "it").write_bytes(data)
    result = hfile(monkeypatch, tmp_path, "-p", "it")
    assert result.exit_code == 1
    assert "checksum does not match" in result.output.splitlines()[-1]
    assert "file it, offset 366" in result.output.splitlines()[-1]


def test_no_file_and_a_missing_one_are_said_plainly(monkeypatch, tmp_path):
    assert hfile(monkeypatch, tmp_path).exit_code == 2
    result = hfile(monkeypatch, tmp_path, "absent")
    assert result.exit_code == 1
    assert "cannot read absent" in result.output


def test_bytes_are_written_as_hbase_writes_them():
    every = bytes(range(256))
    assert binary_text(b"a\\\x00\xff~") == "a\\x5C\\x00\\xFF~"
    assert binary_bytes(binary_text(every)) == every


def test_a_percentage_is_rounded_as_java_does():
    assert percent_text(50, 53) == "94%"
    assert percent_text(1, 8) == "12%"
    assert percent_text(3, 8) == "38%"
