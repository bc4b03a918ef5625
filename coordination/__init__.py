"""Znodes, sessions, watches, locks and election as pure state machines."""
