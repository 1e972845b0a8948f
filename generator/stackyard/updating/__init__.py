"""From a project to what another release, or other answers, would have made of it."""
