"""Chaos on a real Ray cluster of several nodes: `make chaos` (docs/proof.md)."""
