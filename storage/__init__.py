"""The engine: cells, memstore, WAL, HFile, cache, store, region. It never waits."""
