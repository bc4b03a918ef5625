"""Changes of the cluster as persisted steps."""
