# `make demo` and `make test` do everything on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
BASE := .venv/base.stamp
DEV := .venv/dev.stamp
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2

.PHONY: demo test test-slow test-peer bench docs reproduce lint clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "suppose needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv

$(BASE): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e .
	touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	touch $@ $(BASE)

demo: $(BASE)
	$(BIN)/suppose run examples/job_training.toml --out runs/job-training --overwrite

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -q -n $(WORKERS)

test-slow: $(DEV)
	$(BIN)/python -m pytest -q -m slow

test-peer: .venv-peers/peers.stamp
	.venv-peers/bin/python -m pytest -q -m peer

.venv-peers/peers.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -q -c constraints.txt -e '.[dev,peers]'
	touch $@

bench: .venv-peers/peers.stamp
	.venv-peers/bin/python -m benchmarks

docs: $(DEV)
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

reproduce: $(BASE)
	$(BIN)/suppose reproduce --all

clean:
	rm -rf .venv .venv-peers docs/_build runs
