"""From answers to a project on disk, or to nothing at all."""
