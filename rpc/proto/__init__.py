"""Generated from hbase.proto; regenerate with ./generate."""
