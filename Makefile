# make demo   sets everything up and runs the main job on simulated hardware, hub and link
# make test   sets everything up and passes the tests
# make soak   the long tests       make bench   the figures of docs/figures.md       make check   types and style

SHELL := /bin/bash
PYTHON ?= $(shell deploy/find-python.sh)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup system browser demo test check soak bench clean

setup: system $(STAMP)

system:
	@deploy/system-packages.sh

browser:
	@deploy/system-packages.sh tests

$(STAMP): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "Lamppost needs Python 3.11, 3.12 or 3.13; none was found." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=24' 'setuptools>=77' wheel
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@

demo: setup
	$(BIN)/lamppost demo
	$(BIN)/lamppost demo --scenario flood

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: browser setup check
	$(BIN)/python -m pytest

soak: browser setup
	$(BIN)/python -m pytest -m soak

bench: setup
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
