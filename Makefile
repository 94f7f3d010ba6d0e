# Each verb does the set-up it needs first. It happens once; a changed lock or pyproject.toml
# makes it happen again. Paths are relative, so that a checkout may lie anywhere.

# The interpreter .venv is made with. To change it later: make clean first.
PYTHON ?= python3
# More arguments for what a verb runs: make test ARGS="-k credits", make serve ARGS="--port 0".
ARGS ?=
# They are for this make alone: the tests start a `make serve` of their own.
MAKEOVERRIDES :=
MAKEFLAGS += --no-print-directory
unexport ARGS

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install
LINTED := $(wildcard mock_server contract_tests tests benchmarks examples fixtures/*/*.py)
OPENAPI := schemas/openapi.yaml
OPENAPI_LINT := tools/openapi-lint/node_modules
# The packaged Chromium runs on Linux on x86-64 only; elsewhere the tests take one that is installed.
BROWSER := $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' '-')),tools/browser/chromium)
# It would otherwise tell its makers of each run, and look for a newer release of itself.
REDOCLY := REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
	$(BIN)/node $(OPENAPI_LINT)/@redocly/cli/bin/cli.js
REDOCLY_RULES := $(if $(wildcard schemas/.redocly.yaml),--config schemas/.redocly.yaml,--extends recommended-strict)
UV := uv==0.13.9

.NOTPARALLEL:
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: help setup serve test examples check bench teeth lint docs clean lock \
	lint-style lint-types lint-openapi

help:
	@echo 'make setup     install all that the other verbs need, into .venv'
	@echo 'make serve     start the server                             ARGS="--port 0"'
	@echo 'make test      run the tests                                ARGS="-k credits"'
	@echo 'make examples  run only the suites of the example clients   ARGS="-k webhooks"'
	@echo 'make lint      check style, types and the contract'
	@echo 'make check     hold the server against its contract         ARGS="--api rivya --quick"'
	@echo 'make teeth     show that the suite catches broken servers   ARGS="--api acedata"'
	@echo 'make bench     measure speed and memory                     ARGS="--help"'
	@echo 'make clean     remove what the other verbs made'
	@echo 'make lock      renew the locks in requirements/             ARGS="--upgrade"'
	@echo
	@echo 'Not in this version, and it says so: docs.'
	@echo 'PYTHON=python3.13 picks the interpreter (3.11 or later) when .venv is made.'

setup: .venv/.dev

serve: .venv/.serve
	@exec $(BIN)/hailuo-mock serve $(ARGS)

test: .venv/.dev $(BROWSER:=/.made)
	$(BIN)/python -m pytest -n auto $(ARGS)

examples: .venv/.dev
	$(BIN)/python -m pytest examples -n auto $(ARGS)

bench: .venv/.dev
	$(BIN)/python -m benchmarks $(ARGS)

lint: lint-style lint-types lint-openapi

lint-style: .venv/.dev
	$(BIN)/ruff check $(LINTED)
	$(BIN)/ruff format --check $(LINTED)

lint-types: .venv/.dev
	$(BIN)/mypy $(LINTED)

lint-openapi: .venv/.dev $(OPENAPI_LINT)/.made
	$(BIN)/openapi-spec-validator $(OPENAPI)
	$(REDOCLY) lint $(REDOCLY_RULES) $(OPENAPI)

check: .venv/.dev
	$(BIN)/hailuo-mock check $(ARGS)

teeth: .venv/.dev
	$(BIN)/python -m contract_tests.broken $(ARGS)

docs:
	@echo 'make $@: the manual is not part of this version yet' >&2; exit 2

clean:
	rm -rf .venv $(OPENAPI_LINT) tools/browser/node_modules tools/browser/chromium build dist
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .schemathesis
	find $(LINTED) -name __pycache__ -prune -exec rm -rf {} +

# --- set-up -------------------------------------------------------------------------------------

# Said on stderr: stdout of `make serve` is for its ready line.
.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo 'hailuo-mock needs Python 3.11 or later; "$(PYTHON)" is not. Try: make PYTHON=python3.13 $(MAKECMDGOALS)' >&2; exit 2; }
	@echo 'Setting up .venv with $(PYTHON), once' >&2
	@$(PYTHON) -m venv --clear .venv
	@touch $@

# Hashes are checked here; the package itself is a link to this checkout and has none.
# Hatchling is in the locks, so building the link takes nothing else from anywhere.
.venv/.serve: requirements/serve.txt pyproject.toml | .venv/.made
	@echo 'Installing $< into .venv' >&2
	@$(PIP) --require-hashes -r requirements/serve.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/.made
	@echo 'Installing $< into .venv' >&2
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ .venv/.serve

$(OPENAPI_LINT)/.made: tools/openapi-lint/package-lock.json | .venv/.dev
	@echo 'Installing $< into tools/openapi-lint' >&2
	@$(BIN)/npm ci --prefix tools/openapi-lint --ignore-scripts --loglevel=error >&2
	@touch $@

tools/browser/chromium/.made: tools/browser/package-lock.json tools/browser/unpack.js | .venv/.dev
	@echo 'Installing $< into tools/browser' >&2
	@$(BIN)/npm ci --prefix tools/browser --ignore-scripts --loglevel=error >&2
	@$(BIN)/node tools/browser/unpack.js
	@touch $@

# The small lock follows the large one, so that both agree on every version they share.
COMPILE = $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command 'make lock' --no-emit-index-url --quiet

lock: | .venv/.made
	$(PIP) $(UV)
	$(COMPILE) $(ARGS) --all-extras --output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt --output-file requirements/serve.txt
