# Each target makes its own environment first; uv comes from PyPI when it is not on PATH.
FRAMEWORK ?= fastapi
DEST ?= projects/bookshelf-$(FRAMEWORK)
export FRAMEWORK DEST
PYTHON ?= python3
UV_VERSION := 0.13.9
OWN_UV := $(if $(shell command -v uv),,.venv/bin/uv)
BIN := .venv/bin
# `make test LATEST=1` takes the newest releases instead of the tested ones.
LATEST ?=
export LATEST
ENVIRONMENT := .venv/.made$(if $(LATEST),-latest)
VERSIONS := $(if $(LATEST),--upgrade,--constraints constraints.txt)
# Thousands of processes begin in a run: what they import is compiled once.
unexport PYTHONDONTWRITEBYTECODE
# `make test BASE=main` judges what differs from a commit that was green, and the defaults.
BASE ?=
# `make test-all SHARD=2/5` is the second of five parts.
SHARD ?=
# More processes than cores: much of what is tested waits.
# The order of the groups of tests is that of tests/gate.py.
PYTEST := $(BIN)/pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder

.PHONY: new test test-containers test-all lint format bench figures docs index pins requests release

new: $(ENVIRONMENT)
	$(BIN)/stackyard new "$$FRAMEWORK" "$$DEST" --defaults $(if $(LATEST),--no-lock) $(ARGS)

test: $(ENVIRONMENT)
	$(PYTEST) $(if $(BASE),--base $(BASE)) --ignore tests/containers $(ARGS)

# What is made, in containers: wants Docker with compose.
test-containers: $(ENVIRONMENT)
	$(PYTEST) $(if $(BASE),--base $(BASE)) $(or $(ARGS),tests/containers)

# Everything there is: hours, which shards share.
test-all: $(ENVIRONMENT)
	$(PYTEST) --everything $(if $(SHARD),--shard $(SHARD)) $(ARGS)

lint: $(ENVIRONMENT)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(ENVIRONMENT)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The command itself, and the services that it makes, on this machine.
bench: $(ENVIRONMENT)
	$(BIN)/python tests/command_times.py
	$(BIN)/stackyard compare --measure $(ARGS)

# Measures anew the figures that are shipped: on a machine that does nothing else.
figures: $(ENVIRONMENT)
	$(BIN)/stackyard compare --measure --json >.venv/figures.json
	$(BIN)/python -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["figures"], indent=1))' \
	    <.venv/figures.json >templates/concerns/figures.json

# Writes what the commands say of themselves, and of the options, into docs/.
docs: $(ENVIRONMENT)
	$(BIN)/python tests/cli_docs.py

# Lists the files of the template's layers in templates/index.txt.
index: $(ENVIRONMENT)
	$(BIN)/python -m tests.index

# Resolves the tested versions anew: this project's own, and those of each framework.
pins: $(ENVIRONMENT)
	$(BIN)/python tests/pins.py

# Records what a request passes in each framework's service: `make requests ARGS=flask`.
requests: $(ENVIRONMENT)
	$(BIN)/python tests/passages.py $(ARGS)

# Checks and builds what is tagged, and runs it once; publishes nothing.
release: $(ENVIRONMENT)
	@$(BIN)/python -m tests.release "$(VERSION)"

$(ENVIRONMENT): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(if $(OWN_UV),$(PYTHON) -m venv .venv,uv venv --quiet --python $(PYTHON) .venv)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { rm -rf .venv; echo "$(PYTHON) is too old: say make PYTHON=, with Python 3.11 or later" >&2; exit 1; }
	$(if $(OWN_UV),test -x $(OWN_UV) || $(BIN)/python -m pip install --quiet uv==$(UV_VERSION))
	$(or $(OWN_UV),uv) pip install --quiet --python $(BIN)/python --editable '.[compare]' --group dev $(VERSIONS)
	@rm -f .venv/.made*
	@touch $@
