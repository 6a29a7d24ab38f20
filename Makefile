# make reproduce   trains LeNet-5 on real digits, offline, and prints the verdicts on its claims
# make test        runs all tests
# Both make .venv first and install into it what they need; the second time they find it there.
#
# PYTHON=python3.12   another interpreter for .venv
# TORCH="torch==2.13.0"   another torch than the newest; for a build without CUDA see the README

PYTHON ?= python3
TORCH ?= torch
BIN := .venv/bin

.PHONY: help reproduce test check lint types schema wheel clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "literatim needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/made pyproject.toml
	$(BIN)/pip install -q "$(TORCH)" -e .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install -q "$(TORCH)" -e ".[dev]"
	@touch $@

reproduce: .venv/installed
	@$(BIN)/literatim reproduce lenet --recipe quick

test: .venv/installed-dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: lint types

lint: .venv/installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/literatim lint

types: .venv/installed-dev
	@$(BIN)/mypy

schema: .venv/installed
	@$(BIN)/literatim lint --schema card > papers/card.schema.json
	@$(BIN)/literatim lint --schema claims > papers/claims.schema.json

wheel: .venv/installed-dev
	@rm -rf dist && $(BIN)/python -m build -q --wheel

clean:
	rm -rf .venv dist runs
