# Every target sets up what it needs in .venv. Needed beforehand: Python 3.11 or newer, and make.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= auto
TESTS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test crash weave check fix docs bench dev install setup lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.runtime ## Run the whole thing: database, API, worker, PSP sandbox, demo shop (ONCE=1: play one payment and stop)
	@exec $(BIN)/payloom demo $(if $(ONCE),--once)

test: .venv/.dev .venv/.browser .venv/.stripe-cli ## Run every test (PG=16: on PostgreSQL 16; TESTS=path: only those)
	@env -u PAYLOOM_DATABASE_URL TEST_PG="$(or $(PG),18)" \
	  TEST_DATABASE_URL="$(PAYLOOM_DATABASE_URL)" $(BIN)/python -m tests.run -n $(WORKERS) $(TESTS)

crash: .venv/.dev ## Kill API and worker at every point and between, and look at what is left (N=1000, SEED=)
	@TEST_PG="$(or $(PG),18)" $(BIN)/python -m tests.crash --kills $(or $(N),200) $(if $(SEED),--seed $(SEED))

weave: .venv/.dev ## Play pairs of flows through every order of their statements (SWITCHES=5: more of them)
	@TEST_PG="$(or $(PG),18)" $(BIN)/python -m tests.weave $(if $(SWITCHES),--switches $(SWITCHES))

check: .venv/.dev ## Lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_layers.py tests/test_tidy.py

fix: .venv/.dev ## Repair lint and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.dev ## Write the generated pages of docs/reference anew
	$(BIN)/python -m tests.core.dump_schema
	$(BIN)/python -m tests.generate_docs

bench: .venv/.dev ## Measure the real processes over HTTP (QUICK=1: shorter)
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

dev: .venv/.dev ## The demo, its API restarted whenever a source file changes
	@exec $(BIN)/payloom demo --reload

install: .venv/.runtime ## Only what it takes to run payloom, into .venv

setup: .venv/.dev ## Only set up .venv, tools for development included

lock: .venv/.dev ## Resolve dependencies anew into requirements/
	for extra in build dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	    --upgrade --extra build --extra $$extra -o requirements/$$extra.txt pyproject.toml; done
	mv requirements/build.txt requirements/runtime.txt

clean: ## Remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "payloom needs Python 3.11 or newer; say which: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "No virtual environment: install your system's python3-venv package."; exit 1; }

.venv/.runtime: requirements/runtime.txt pyproject.toml | .venv/bin/python
	@echo "Installing payloom into .venv …"
	@$(BIN)/pip install -q --require-hashes -r requirements/runtime.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.runtime
	@echo "Installing the tools for development into .venv …"
	@$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.browser: .venv/.dev
	@$(BIN)/python -m tests.browser

.venv/.stripe-cli: tests/sandbox/cli/package-lock.json | .venv/.dev
	@$(BIN)/python -m tests.stripe_cli
