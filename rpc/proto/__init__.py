"""Generated from hbase.proto; regenerate with `make proto`."""
