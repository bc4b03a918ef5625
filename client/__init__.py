"""What a user imports: connections, tables, admin, command line."""
