"""HFile v3: reader, writer, and the encodings of its data blocks.

Reading order: blocks and codecs (how every block is framed), streams, columnar with
columnar_block, pieces and words, keyvalue (what data blocks hold; decoders: HBase's other
encodings), index and data_index (in the file, in memory), row_filter and bloom with bloom_writer
and filter_writers (which rows a file may hold), file_info and trailer (the rest of the file),
load_on_open, then writer and reader, which put them together. The grammar of all of it is
docs/formats/hfile.md.
"""

from .block import Block
from .columnar_block import Gathering
from .file_info import HFileStats
from .reader import HFileReader
from .streams import warm_up
from .writer import HFileImage, HFileWriter

__all__ = [
    "Block",
    "Gathering",
    "HFileImage",
    "HFileReader",
    "HFileStats",
    "HFileWriter",
    "warm_up",
]
