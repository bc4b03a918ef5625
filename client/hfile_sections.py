"""What `raybase hfile` says of a file besides its cells: trailer, file info, index, blocks.

Source: HFilePrettyPrinter.java, HFileReaderImpl.toString, FixedFileTrailer.toString,
HFileBlock.toString.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from ..storage.hfile import blocks, codecs, file_info
from ..storage.hfile.bloom import BloomFilter
from ..storage.hfile.flat_key import META_COMPARATORS, PLAIN_COMPARATORS
from ..storage.hfile.trailer import NO_OFFSET
from .hfile_contents import PrintedFile
from .hfile_text import binary_text, percent_text

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


def meta_lines(file: PrintedFile) -> Iterator[str]:
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


def _trailer_parts(file: PrintedFile) -> list[str]:
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


def _info_text(file: PrintedFile, name: bytes) -> str:
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


def index_lines(file: PrintedFile) -> Iterator[str]:
    root = file.loaded.index_root
    yield "Block Index:"
    yield f"size={len(root.keys)}"
    for key, offset, size in zip(root.keys, root.offsets, root.stored_bytes, strict=True):
        yield f"key={file.index_key(key)}/vlen=0/mvcc=0"
        yield f"  offset={offset}, dataSize={size}"
    yield ""


def block_lines(file: PrintedFile) -> Iterator[str]:
    yield "Block Headers:"
    trailer = file.loaded.trailer
    offset, last = trailer.first_data_block_offset, trailer.last_data_block_offset
    if offset == NO_OFFSET:
        return
    while offset <= last:
        text, offset = _block_text(file, offset)
        yield text


def _block_text(file: PrintedFile, offset: int) -> tuple[str, int]:
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
