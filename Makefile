# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(shell for python in python3.11 python3 python3.13 python3.12 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV ?= .venv
BENCH_VENV ?= .venv-bench
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# $(call environment,folder): make a virtual environment, also where Python came without ensurepip.
define environment
	@test -n "$(PYTHON)" || { echo "privkit needs Python 3.11 or later on the PATH" >&2; exit 1; }
	@$(1)/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| $(PYTHON) -m venv --clear $(1) 2>/dev/null \
		|| { $(PYTHON) -m virtualenv --version >/dev/null 2>&1 \
			|| $(PYTHON) $(PIP_INSTALL) --user --no-warn-script-location virtualenv \
			|| $(PYTHON) $(PIP_INSTALL) --user --no-warn-script-location --break-system-packages virtualenv; \
			$(PYTHON) -m virtualenv --quiet --clear $(1); }
	@$(1)/bin/python $(PIP_INSTALL) --upgrade 'pip>=25.1'
endef

.PHONY: demo test nightly bench format clean
.DEFAULT_GOAL := test

demo: $(VENV)/.installed
	@$(BIN)/python -m privkit demo

test: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(if $(filter true,$(CI)),--fail-under=100)

nightly: $(VENV)/.installed
	@$(BIN)/python -m pytest -m "nightly or not nightly"

bench: $(BENCH_VENV)/.installed
	@$(BENCH_VENV)/bin/python -m benchmarks

format: $(VENV)/.installed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(BENCH_VENV) .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed: pyproject.toml
	@echo "setting up $(VENV)"
	$(call environment,$(VENV))
	@$(BIN)/python $(PIP_INSTALL) --editable '.[all]' --group dev
	@touch $@

$(BENCH_VENV)/.installed: pyproject.toml
	@echo "setting up $(BENCH_VENV)"
	$(call environment,$(BENCH_VENV))
	@$(BENCH_VENV)/bin/python $(PIP_INSTALL) --editable '.[all]' --group bench
	@touch $@
