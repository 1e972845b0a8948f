"""The commands, each with what it prints: they read what was asked, and call the engine."""
