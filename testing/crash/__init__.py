"""Power cuts and failing disks at every file-system call of the engine (docs/proof.md)."""
