# make reproduce   trains LeNet-5 on real digits, offline, and prints the verdicts on its claims
# make test        runs all tests but those of the site
# make faults      runs them too, and writes which faults they tried into docs/faults.json
# make compare     installs torchvision, timm, gensim and OpenCV, so that `make test` holds the cards against them too
# make docs        builds the site into site/
# make serve       shows it, and what you edit within seconds
# make test-site   builds it and tests it in a real browser
# All make .venv first and install into it what they need; the second time they find it there.
# The site needs npm besides, its tests Chromium.
#
# PYTHON=python3.12   another interpreter for .venv
# TORCH="torch==2.13.0"   another torch than the newest; for a build without CUDA see the README

PYTHON ?= python3
TORCH ?= torch
BIN := .venv/bin
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs

.PHONY: help compare reproduce test faults docs facts serve test-site check lint types schema wheel clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

.venv/made:
	@command -v $(PYTHON) >/dev/null || { echo "there is no $(PYTHON) here. Name another: make PYTHON=python3.12"; exit 1; }
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

compare: .venv/installed-dev
	$(BIN)/pip install -q "$(TORCH)" -e ".[dev,compare]"

reproduce: .venv/installed
	@$(BIN)/literatim reproduce lenet --recipe quick

test: .venv/installed-dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

faults: .venv/installed-dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --faults docs/faults.json

.venv/installed-docs: .venv/installed
	$(BIN)/pip install -q "$(TORCH)" -e ".[docs]"
	@touch $@

.venv/installed-browser: .venv/installed-docs .venv/installed-dev
	$(BIN)/pip install -q "$(TORCH)" -e ".[dev,browser]"
	@touch $@

# What the site serves of others comes from npm, by the lock file, and no script of theirs is run.
node_modules/made: package-lock.json
	@command -v npm >/dev/null || { echo "the site needs npm (Node 20 or newer)"; exit 1; }
	npm ci --ignore-scripts --no-fund --no-audit
	@touch $@

facts: .venv/installed-docs
	@$(BIN)/literatim trace

docs: node_modules/made facts
	@$(MKDOCS) build --strict

serve: node_modules/made .venv/installed-docs
	-@$(BIN)/literatim trace
	@$(MKDOCS) serve

test-site: docs .venv/installed-browser
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal tests/site

check: lint types

lint: .venv/installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/literatim lint

types: .venv/installed-dev
	@$(BIN)/mypy

schema: .venv/installed
	@$(BIN)/literatim lint --schema card > papers/card.schema.json
	@$(BIN)/literatim lint --schema claims > papers/claims.schema.json
	@$(BIN)/literatim lint --schema record > papers/record.schema.json
	@$(BIN)/literatim lint --schema index > papers/index.schema.json

wheel: .venv/installed-dev
	@rm -rf dist && $(BIN)/python -m build -q --wheel

clean:
	rm -rf .venv dist runs build site node_modules
