# Each verb does the set-up it needs first. It happens once; a changed lock, pyproject.toml or
# schemas/openapi.yaml makes it happen again. Paths are relative, so that a checkout may lie anywhere.

# The interpreter .venv is made with. To change it later: make clean first.
PYTHON ?= python3
# More arguments for what a verb runs: make test ARGS="-k credits", make serve ARGS="--port 0".
ARGS ?=
# They are for this make alone: the tests start a `make serve` of their own.
MAKEOVERRIDES :=
MAKEFLAGS += --no-print-directory
unexport ARGS
# Else each worker and each process of the tests compiles them again; clean removes what is kept.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install
# sort: each file once.
LINTED := $(sort $(wildcard mock_server contract_tests tests benchmarks examples fixtures/*/*.py tools/*.py tools/*/check.py tools/image/dockerfile.py tools/clients/node_types.py tools/manual/*.py))
OPENAPI := schemas/openapi.yaml
OPENAPI_LINT := tools/openapi-lint/node_modules
WORKFLOW_LINT := tools/workflow-lint/node_modules
CLIENTS := tools/clients/node_modules
CORPUS := tests/judge/corpus/node_modules
RUNNERS := tools/runners/node_modules
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
.PHONY: help setup serve test examples check bench soak teeth crash judge-corpus lint types docs clean lock \
	lint-style lint-types lint-openapi lint-workflow lint-clients

help:
	@echo 'make setup     install all that the other verbs need, into .venv'
	@echo 'make serve     start the server                             ARGS="--port 0"'
	@echo 'make test      run the tests                                ARGS="-k credits"'
	@echo 'make examples  run only the suites of the example clients   ARGS="-k webhooks"'
	@echo 'make lint      check style, types, the contract, clients made from it, the workflow'
	@echo 'make types     renew the types of the package for Node.js'
	@echo 'make check     hold the server against its contract         ARGS="--api rivya --quick"'
	@echo 'make teeth     show that the suite catches broken servers   ARGS="--api acedata"'
	@echo 'make crash     kill a server with a state file at many points   ARGS="--points 100"'
	@echo 'make judge-corpus  show that the judge is right about small clients  ARGS="--seeds 1"'
	@echo 'make bench     measure speed and memory                     ARGS="--help"'
	@echo 'make soak      a long load: does anything grow, or get lost? ARGS="--minutes 60"'
	@echo 'make docs      build the manual, a site in build/manual/site'
	@echo 'make clean     remove what the other verbs made'
	@echo 'make lock      renew the locks in requirements/             ARGS="--upgrade"'
	@echo
	@echo 'PYTHON=python3.13 picks the interpreter (3.11 or later) when .venv is made.'

setup: .venv/.dev

serve: .venv/.serve
	@exec $(BIN)/hailuo-mock serve $(ARGS)

test: .venv/.dev $(BROWSER:=/.made) $(CORPUS)/.made $(RUNNERS)/.made
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

examples: .venv/.dev
	$(BIN)/python -m pytest examples -n auto $(ARGS)

bench: .venv/.dev
	$(BIN)/python -m benchmarks $(ARGS)

soak: .venv/.dev
	$(BIN)/python -m benchmarks.soak $(ARGS)

lint: lint-style lint-types lint-openapi lint-workflow lint-clients

lint-style: .venv/.dev
	$(BIN)/ruff check $(LINTED)
	$(BIN)/ruff format --check $(LINTED)

lint-types: .venv/.dev
	$(BIN)/mypy $(LINTED)

lint-openapi: .venv/.dev $(OPENAPI_LINT)/.made
	$(BIN)/openapi-spec-validator $(OPENAPI)
	$(REDOCLY) lint $(REDOCLY_RULES) $(OPENAPI)

lint-workflow: .venv/.dev $(WORKFLOW_LINT)/.made
	$(BIN)/node tools/workflow-lint/check.mjs $(wildcard .github/workflows/*.yml)

# Generates clients from the served documents, and uses them; so also the package for Node.js.
lint-clients: .venv/.dev $(OPENAPI_LINT)/.made $(CLIENTS)/.made
	$(BIN)/python tools/clients/node_types.py --check
	$(BIN)/python tools/clients/check.py

# Renews clients/node/types.
types: .venv/.dev $(CLIENTS)/.made
	$(BIN)/python tools/clients/node_types.py

check: .venv/.dev
	$(BIN)/hailuo-mock check $(ARGS)

teeth: .venv/.dev
	$(BIN)/python -m contract_tests.broken $(ARGS)

crash: .venv/.dev
	$(BIN)/python -m tests.crash $(ARGS)

judge-corpus: .venv/.dev $(CORPUS)/.made
	$(BIN)/python -m tests.judge.corpus_table $(ARGS)

docs: .venv/.docs
	$(BIN)/python -m tools.manual

clean:
	rm -rf .venv tools/*/node_modules $(CORPUS) tools/browser/chromium build dist
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
# Hatchling and PyYAML are in the locks, so building the link takes nothing else from anywhere.
.venv/.serve: requirements/serve.txt pyproject.toml $(OPENAPI) | .venv/.made
	@echo 'Installing $< into .venv' >&2
	@$(PIP) --require-hashes -r requirements/serve.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev .venv/.docs: .venv/.%: requirements/%.txt pyproject.toml $(OPENAPI) | .venv/.made
	@echo 'Installing $< into .venv' >&2
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ .venv/.serve

$(OPENAPI_LINT)/.made $(WORKFLOW_LINT)/.made $(CLIENTS)/.made $(CORPUS)/.made $(RUNNERS)/.made: %/node_modules/.made: %/package-lock.json | .venv/.dev
	@echo 'Installing $< into $*' >&2
	@$(BIN)/npm ci --prefix $* --ignore-scripts --loglevel=error >&2
	@touch $@

tools/browser/chromium/.made: tools/browser/package-lock.json tools/browser/unpack.js | .venv/.dev
	@echo 'Installing $< into tools/browser' >&2
	@$(BIN)/npm ci --prefix tools/browser --ignore-scripts --loglevel=error >&2
	@$(BIN)/node tools/browser/unpack.js
	@touch $@

# The other locks follow the large one, so that all agree on every version they share.
COMPILE = $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command 'make lock' --no-emit-index-url --quiet

lock: | .venv/.made
	$(PIP) $(UV)
	$(COMPILE) $(ARGS) --all-extras --output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt --output-file requirements/serve.txt
	$(COMPILE) --constraint requirements/dev.txt --group docs --output-file requirements/docs.txt
