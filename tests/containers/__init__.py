"""The Dockerfile, the compose files and the CI of a generated project, run as they are."""
