"""HFile v3: reader, writer, and the encodings of its data blocks."""
