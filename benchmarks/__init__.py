"""What raybase costs, row by row of its budget: ``python -m benchmarks --help``.

Reading order: rows (what is measured, and the budgets), report, timing, machine; then cluster
and load, which the rows that need a running cluster share; then a module for each group of rows.
"""
