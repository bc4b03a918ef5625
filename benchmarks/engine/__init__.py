"""The storage engine alone: its budget, on one core, beside RocksDB and LMDB."""

from .beside import measure

__all__ = ["measure"]
