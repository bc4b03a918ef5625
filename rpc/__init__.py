"""HBase's wire protocol: messages, frames, cell blocks."""
