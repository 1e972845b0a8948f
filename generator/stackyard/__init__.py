"""The stackyard generator: a command and an engine over one Copier template."""
