"""Filters: which rows and cells of a read a client wants, decided where the data is."""
