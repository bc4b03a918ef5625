"""Procedures: the master's changes of the cluster, each in persisted, repeatable steps."""
