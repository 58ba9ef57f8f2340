# Two commands are all a newcomer needs: `make run` and `make test`. Each makes the virtual environment first.
VENV ?= .venv
PYTHON ?= python3
TORCH ?= torch==2.13.0
INPUT ?= examples/comments.csv
OUT ?= out
WORKERS ?= auto
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A file's tests stay in one process: they share what they set up. WORKERS=0 runs all in this one.
PYTEST := -m pytest --numprocesses $(WORKERS) --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help run test check slow faults clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/.run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(TORCH)
	$(PIP) --constraint constraints.txt --editable .
	touch $@

# torch first: asked for by another package, the registry would bring its GPU build of several GB.
$(VENV)/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(TORCH)
	$(PIP) --constraint constraints.txt --editable '.[dev,transformers,lingua,review]'
	touch $@

run: $(VENV)/.run  ## Analyse INPUT (default: examples/comments.csv) and leave report and store in OUT (default: out/)
	$(BIN)/feedback-nlp run $(INPUT) --out $(OUT)

test: $(VENV)/.dev check  ## Check the house and run the fast tests
	$(BIN)/python $(PYTEST) -m "not slow"

slow: $(VENV)/.dev  ## Run the slow tests
	$(BIN)/python $(PYTEST) -m slow --durations=15

faults: $(VENV)/.dev  ## Kill, starve and damage nightly runs some 200 times, on SQLite and PostgreSQL, and count what was lost
	$(BIN)/python tests/faults/fault_harness.py

check: $(VENV)/.dev  ## Lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:  ## Remove the environment, caches and results
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
