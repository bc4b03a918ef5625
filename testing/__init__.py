"""A whole cluster in one process, on a virtual clock, from one seed."""
