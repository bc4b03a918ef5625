"""What `raybase hfile` prints: a store file, as HBase's `hbase hfile` prints it.

Source: HFilePrettyPrinter.java, HFileReaderImpl.toString, FixedFileTrailer.toString,
HFileBlock.toString.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ..model import LATEST_TIMESTAMP, CellType
from ..storage.block_cache import BlockCache
from ..storage.hfile import HFileReader, blocks, codecs, file_info
from ..storage.hfile.bloom import BloomFilter
from ..storage.hfile.flat_key import META_COMPARATORS, PLAIN_COMPARATORS, split_flat
from ..storage.hfile.trailer import NO_OFFSET
from ..storage.key import END, TAIL_BYTES, split_key, unescape
from ..storage.tags import parse_tags, tags_of
from .hfile_text import Histogram, binary_text, key_text, percent_text

_CACHE_BYTES: Final = 1 << 24
_NUMBERS: Final = {
    file_info.MAX_SEQUENCE_ID: ">q",
    file_info.DELETE_FAMILY_COUNT: ">q",
    file_info.EARLIEST_PUT: ">q",
    file_info.MAX_CELL_SEQUENCE_ID: ">q",
    file_info.CREATED_MS: ">q",
    b"BULKLOAD_TIMESTAMP": ">q",
    file_info.AVERAGE_KEY_BYTES: ">i",
    file_info.AVERAGE_VALUE_BYTES: ">i",
    file_info.KEY_VALUE_VERSION: ">i",
    file_info.MAX_TAGS_BYTES: ">i",
    file_info.MIN_CELL_SEQUENCE_ID: ">q",
    file_info.DELETE_COUNT: ">q",
    file_info.KEY_BYTES: ">q",
    file_info.VALUE_BYTES: ">q",
}
_FLAGS: Final = frozenset(
    {
        file_info.MAJOR_COMPACTION,
        file_info.TAGS_COMPRESSED,
        b"EXCLUDE_FROM_MINOR_COMPACTION",
        b"HISTORICAL",
    }
)
_BLOCK_TYPES: Final = {
    blocks.DATA: "DATA",
    blocks.ENCODED_DATA: "ENCODED_DATA",
    blocks.LEAF_INDEX: "LEAF_INDEX",
    blocks.BLOOM_CHUNK: "BLOOM_CHUNK",
    blocks.META: "META",
    blocks.INTERMEDIATE_INDEX: "INTERMEDIATE_INDEX",
    blocks.ROOT_INDEX: "ROOT_INDEX",
}
_CHECKSUMS: Final = {
    blocks.NO_CHECKSUM: "NULL",
    blocks.CRC32: "CRC32",
    blocks.CRC32C: "CRC32C",
    blocks.PLACED_CRC32C: "PLACED_CRC32C",
}
_CACHE_SETTINGS: Final = (
    "cacheConf=cacheDataOnRead=false",
    "cacheDataOnWrite=false",
    "cacheIndexesOnWrite=false",
    "cacheBloomsOnWrite=false",
    "cacheEvictOnClose=false",
    "cacheDataCompressed=false",
    "prefetchOnOpen=false",
)
"""Of HBase's printer, which has no cache; so it prints for every file."""


@dataclass(frozen=True, slots=True)
class HFileOptions:
    """Which parts of a file are wanted; names and letters are HBase's."""

    verbose: bool = False
    print_values: bool = False
    print_keys: bool = False
    print_meta: bool = False
    print_blocks: bool = False
    print_block_headers: bool = False
    check_row: bool = False
    check_family: bool = False
    stats: bool = False
    details: bool = False
    row: bytes = b""

    @property
    def scans(self) -> bool:
        """Whether the cells are gone through."""
        return (
            self.verbose
            or self.prints_keys
            or self.check_row
            or self.check_family
            or self.prints_stats
        )

    @property
    def prints_keys(self) -> bool:
        return self.print_keys or self.print_values

    @property
    def prints_stats(self) -> bool:
        return self.stats or self.details


class HFilePrinter:
    """Prints files, one after the other; ``write`` takes lines, ``warn`` those of warnings."""

    def __init__(
        self,
        options: HFileOptions,
        write: Callable[[str], object],
        warn: Callable[[str], object],
    ) -> None:
        self._options = options
        self._write = write
        self._warn = warn
        self._cells = 0

    def print_file(self, name: str, image: memoryview) -> None:
        """Raises CorruptionError, which names file and offset, once the file cannot be read."""
        options = self._options
        if options.verbose:
            self._write(f"Scanning -> {name}")
        file = _File(name, HFileReader.from_image(name, image), image)
        statistics = _Statistics()
        if options.scans:
            self._scan(file, statistics)
        if options.print_meta:
            self._write_all(_meta_lines(file))
        if options.print_blocks:
            self._write_all(_index_lines(file))
        if options.print_block_headers:
            self._write_all(_block_lines(file))
        if options.prints_stats:
            self._write_all(statistics.lines(with_ranges=options.details))

    def end(self) -> None:
        """The last line, after all files."""
        if self._options.verbose or self._options.prints_keys:
            self._write(f"Scanned kv count -> {self._cells}")

    def _write_all(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._write(line)

    def _scan(self, file: _File, statistics: _Statistics) -> None:
        options = self._options
        before: _Cell | None = None
        for cell in file.cells(options.row):
            if options.prints_stats:
                statistics.add(cell)
            if options.prints_keys:
                self._write(f"K: {cell.text}" + (_value_text(cell) if options.print_values else ""))
            if options.check_row and before is not None and before.row > cell.row:
                self._warn(
                    "WARNING, previous row is greater then current row\n"
                    f"\tfilename -> {file.name}\n"
                    f"\tprevious -> {before.text}\n\tcurrent  -> {cell.text}"
                )
            if options.check_family and cell.family.decode("utf-8", "replace") not in file.name:
                self._warn(
                    "WARNING, filename does not match kv family,\n"
                    f"\tfilename -> {file.name}\n\tkeyvalue -> {cell.text}"
                )
            before = cell
            self._cells += 1


@dataclass(frozen=True, slots=True)
class _Cell:
    row: bytes
    family: bytes
    key: str
    key_bytes: int
    value: bytes
    sequence_id: int

    @property
    def text(self) -> str:
        return f"{self.key}/vlen={len(self.value)}/seqid={self.sequence_id}"

    @property
    def stored_bytes(self) -> int:
        """As a KeyValue without its sequence id."""
        tags = tags_of(self.value)
        return 8 + self.key_bytes + len(self.value) + (2 + len(tags) if tags else 0)


class _File:
    def __init__(self, name: str, reader: HFileReader, image: memoryview) -> None:
        self.name = name
        self.reader = reader
        self.image = image
        self.loaded = reader.loaded
        self.cache = BlockCache(_CACHE_BYTES)
        self.family = b""
        """Of all cells; our own files do not say it."""
        if self.loaded.encoding.name != "COLUMNAR" and reader.stats.entries:
            with blocks.reported_as_corruption(name, self.loaded.trailer.file_info_offset):
                _, self.family, _ = split_flat(self.loaded.info[file_info.LAST_KEY])

    def cells(self, wanted_row: bytes) -> Iterator[_Cell]:
        """All cells in order, or those of a row."""
        decode = self.loaded.rows.decode
        wanted = self.loaded.rows.encode(wanted_row)
        place = self.reader.find(wanted, self.cache)
        while place is not None:
            block = self.reader.block(place, self.cache)
            for key, value in zip(block.keys, block.values, strict=True):
                encoded_row, qualifier, timestamp, type_code, sequence_id = split_key(key)
                if wanted and encoded_row > wanted:
                    return
                if wanted and encoded_row < wanted:
                    continue
                row = decode(encoded_row)
                text = key_text(row, self.family, qualifier, timestamp, type_code)
                key_bytes = 12 + len(row) + len(self.family) + len(qualifier)
                yield _Cell(row, self.family, text, key_bytes, value, sequence_id)
            place = self.reader.find(place.bound, self.cache) if place.bound else None

    def index_key(self, key: bytes) -> str:
        """A key of the index, which may end behind its row or its qualifier."""
        encoded_row, _, rest = key.partition(END)
        row = self.loaded.rows.decode(encoded_row)
        if len(rest) >= TAIL_BYTES + len(END):
            _, qualifier, timestamp, type_code, _ = split_key(key)
        else:
            qualifier = unescape(rest.removesuffix(END))
            timestamp, type_code = LATEST_TIMESTAMP, int(CellType.MAXIMUM)
        # A key that HBase made up to stand between two rows has no family.
        made_up = type_code == CellType.MAXIMUM and not qualifier
        family = b"" if made_up else self.family
        return key_text(row, family, qualifier, timestamp, type_code)


def _value_text(cell: _Cell) -> str:
    parts = [f" V: {binary_text(cell.value)}"]
    for number, (kind, data) in enumerate(parse_tags(tags_of(cell.value))):
        parts.append(f" T[{number}]: [Tag type : {kind}, value : {binary_text(data)}]")
    return "".join(parts)


def _meta_lines(file: _File) -> Iterator[str]:
    loaded, stats = file.loaded, file.reader.stats
    info, trailer = loaded.info, loaded.trailer
    first = last = "Optional.empty"
    if stats.entries:
        first = f"Optional[{file.index_key(loaded.index_root.keys[0])}/seqid=0]"
        last = f"Optional[{file.index_key(stats.last_key)}/seqid=0]"
    yield f"Block index size as per heapsize: {file.reader.memory_bytes}"
    yield ",\n    ".join(
        [
            f"reader={file.name}",
            f"compression={codecs.codec_name(trailer.codec).lower()}",
            *_CACHE_SETTINGS,
            f"firstKey={first}",
            f"lastKey={last}",
            f"avgKeyLen={_info_text(file, file_info.AVERAGE_KEY_BYTES)}",
            f"avgValueLen={_info_text(file, file_info.AVERAGE_VALUE_BYTES)}",
            f"entries={stats.entries}",
            f"length={stats.size}",
        ]
    )
    yield "Trailer:\n    " + ",\n    ".join(_trailer_parts(file))
    yield "Fileinfo:"
    for name in sorted(info):
        yield f"    {name.decode('utf-8', 'replace')} = {_info_text(file, name)}"
    middle = file.reader.mid_key(file.cache)
    if middle is None:
        yield "Unable to retrieve the midkey"
    else:
        yield f"Mid-key: Optional[{file.index_key(middle)}/seqid=0]"
    yield "Bloom filter:"
    yield from _bloom_lines(loaded.bloom)
    yield "Delete Family Bloom filter:"
    yield from _bloom_lines(loaded.delete_family_bloom)


def _trailer_parts(file: _File) -> list[str]:
    trailer = file.loaded.trailer
    comparator = trailer.comparator
    if comparator in PLAIN_COMPARATORS[:4]:
        comparator = "org.apache.hadoop.hbase.InnerStoreCellComparator"
    elif comparator in META_COMPARATORS:
        comparator = "org.apache.hadoop.hbase.MetaCellComparator"
    first, last = trailer.first_data_block_offset, trailer.last_data_block_offset
    return [
        f"fileinfoOffset={trailer.file_info_offset}",
        f"loadOnOpenDataOffset={trailer.load_on_open_offset}",
        f"dataIndexCount={trailer.data_index_count}",
        f"metaIndexCount={trailer.meta_index_count}",
        f"totalUncomressedBytes={trailer.total_uncompressed_bytes}",
        f"entryCount={trailer.entry_count}",
        f"compressionCodec={codecs.codec_name(trailer.codec)}",
        f"uncompressedDataIndexSize={trailer.uncompressed_data_index_bytes}",
        f"numDataIndexLevels={trailer.data_index_levels}",
        f"firstDataBlockOffset={-1 if first == NO_OFFSET else first}",
        f"lastDataBlockOffset={-1 if last == NO_OFFSET else last}",
        f"comparatorClassName={comparator}",
        "encryptionKey=NONE",
        "majorVersion=3",
        f"minorVersion={file.image[-4]}",
    ]


def _info_text(file: _File, name: bytes) -> str:
    value = file.loaded.info.get(name)
    if value is None:
        return "-1"
    try:
        if name in _NUMBERS:
            return str(struct.unpack(_NUMBERS[name], value)[0])
        if name == file_info.TIME_RANGE:
            low, high = struct.unpack(">qq", value)
            return f"{low}....{high}"
    except struct.error:
        return binary_text(value)
    if name in _FLAGS:
        return "false" if value == b"\0" else "true"
    if name == file_info.LAST_KEY:
        return f"{file.index_key(file.reader.stats.last_key)}/vlen=0/mvcc=0"
    return binary_text(value)


def _bloom_lines(bloom: BloomFilter | None) -> Iterator[str]:
    if bloom is None:
        yield "    Not present"
        return
    yield f"    BloomSize: {bloom.size}"
    yield f"    No of Keys in bloom: {bloom.keys}"
    yield f"    Max Keys for bloom: {bloom.keys_max}"
    if bloom.keys_max:
        yield f"    Percentage filled: {percent_text(bloom.keys, bloom.keys_max)}"
    yield f"    Number of chunks: {len(bloom.chunks)}"
    comparator = bloom.comparator.replace("$", ".").rpartition(".")[2]
    yield f"    Comparator: {comparator or 'ByteArrayComparator'}"


def _index_lines(file: _File) -> Iterator[str]:
    root = file.loaded.index_root
    yield "Block Index:"
    yield f"size={len(root.keys)}"
    for key, offset, size in zip(root.keys, root.offsets, root.stored_bytes, strict=True):
        yield f"key={file.index_key(key)}/vlen=0/mvcc=0"
        yield f"  offset={offset}, dataSize={size}"
    yield ""


def _block_lines(file: _File) -> Iterator[str]:
    yield "Block Headers:"
    trailer = file.loaded.trailer
    offset, last = trailer.first_data_block_offset, trailer.last_data_block_offset
    if offset == NO_OFFSET:
        return
    while offset <= last:
        text, offset = _block_text(file, offset)
        yield text


def _block_text(file: _File, offset: int) -> tuple[str, int]:
    """A block's line and the offset of the next."""
    loaded, name = file.loaded, file.name
    data = bytes(file.image[offset : offset + blocks.HEADER_BYTES])
    header = blocks.parse_header(name, offset, data)
    following = offset + header.stored_bytes
    stored = blocks.unframe(
        name,
        offset,
        bytes(file.image[offset:following]),
        loaded.trailer.codec,
        loaded.checksums,
    )
    next_data = bytes(file.image[following : following + blocks.HEADER_BYTES])
    next_bytes = blocks.parse_header(name, following, next_data).stored_bytes
    # A block that HBase decompressed has lost its checksums, and says so.
    is_plain = loaded.trailer.codec == codecs.NONE
    checksum = _CHECKSUMS[header.checksum_kind] if is_plain else "NULL"
    per_checksum = header.chunk_bytes if is_plain else 0
    length = header.payload_bytes + blocks.HEADER_BYTES
    on_disk = header.checked_bytes if is_plain else header.stored_bytes
    parts = [
        f"blockType={_BLOCK_TYPES.get(header.magic, binary_text(header.magic))}",
        f"fileOffset={offset}",
        f"headerSize={blocks.HEADER_BYTES}",
        f"onDiskSizeWithoutHeader={header.after_header}",
        f"uncompressedSizeWithoutHeader={header.payload_bytes}",
        f"prevBlockOffset={header.previous_offset}",
        "isUseHBaseChecksum=true",
        f"checksumType={checksum}",
        f"bytesPerChecksum={per_checksum}",
        f"onDiskDataSizeWithHeader={on_disk}",
        f"getOnDiskSizeWithHeader={header.stored_bytes}",
        f"totalChecksumBytes={header.stored_bytes - on_disk}",
        "isUnpacked=true",
        f"buf=[SingleByteBuff[pos=0, lim={length}, cap= {length}]]",
        f"dataBeginsWith={binary_text(stored.payload[:32])}",
        f"nextBlockOnDiskSize={next_bytes}",
    ]
    return f"[{', '.join(parts)}]", following


class _Statistics:
    """Sizes of keys, values and rows. The key of a row is its last one, as HBase counts."""

    def __init__(self) -> None:
        self._keys = Histogram("Key length")
        self._values = Histogram("Val length")
        self._rows = Histogram("Row size (bytes)")
        self._columns = Histogram("Row size (columns)")
        self._last: _Cell | None = None
        self._row_bytes = self._row_cells = 0
        self._biggest = (0, b"")

    def add(self, cell: _Cell) -> None:
        self._values.add(len(cell.value))
        if self._last is not None and self._last.row != cell.row:
            self._end_row(self._last)
        self._row_bytes += cell.stored_bytes
        self._row_cells += 1
        self._last = cell

    def lines(self, *, with_ranges: bool) -> Iterator[str]:
        """All that is printed; nothing may be added afterwards."""
        yield "Stats:"
        if self._last is None:
            yield "no data available for statistics"
            return
        self._end_row(self._last)
        for histogram in (self._keys, self._values, self._rows, self._columns):
            yield from histogram.lines(with_ranges=with_ranges)
        yield "\n"
        yield f"Key of biggest row: {binary_text(self._biggest[1])}"

    def _end_row(self, last: _Cell) -> None:
        self._rows.add(self._row_bytes)
        self._columns.add(self._row_cells)
        self._keys.add(last.key_bytes)
        if self._row_bytes > self._biggest[0]:
            self._biggest = (self._row_bytes, last.row)
        self._row_bytes = self._row_cells = 0
