"""What `make bench` measures: the command itself, and the services that it makes."""
