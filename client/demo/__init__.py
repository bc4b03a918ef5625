"""`raybase demo`: Bigtable's webtable on the pages of the Python standard library."""
