"""What Django has to be told of SQLite."""
