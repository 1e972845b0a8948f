# Each target makes its own environment first; uv comes from PyPI when it is not on PATH.
FRAMEWORK ?= fastapi
DEST ?= projects/bookshelf-$(FRAMEWORK)
PYTHON ?= python3
UV := $(or $(shell command -v uv),.venv/bin/uv)
# The versions that were tested together; `make test CONSTRAINTS=` takes the newest instead.
CONSTRAINTS ?= --constraints constraints.txt

.PHONY: new test lint format bench
