"""The Dockerfile, the compose files and the workflow of a generated project, run as they are."""
