PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKSPACE ?= workspace
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
# As pip does for everything but an editable installation: where Python writes no bytecode, every start would compile.
COMPILE := $(BIN)/python -m compileall -q workshop checks

.PHONY: run test lint types unit docs lock bench rig agreement mutants fuzz clean

run: $(INSTALLED)  ## Open the lab in the folder WORKSPACE
	$(BIN)/workshop init $(WORKSPACE)
	$(BIN)/workshop --workspace $(WORKSPACE)

test: lint types unit  ## All that must hold before a commit lands

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(INSTALLED_DEV)
	$(BIN)/mypy

unit: $(INSTALLED_DEV)
	if [ "$$CI" = true ]; then tools/install-live-tools.sh && $(BIN)/workshop sandbox build --with tekton,rollouts; fi
	$(BIN)/pytest -n auto --dist loadgroup

docs: $(INSTALLED_DEV)  ## Write the generated pages again
	$(BIN)/python -m tools.document

bench: $(INSTALLED_DEV)  ## Timings as ratios; see docs/performance.md
	$(COMPILE) benchmarks
	$(BIN)/python -m benchmarks

rig: $(INSTALLED_DEV)  ## Every real component of the live tests, up for a person until Ctrl-C
	tools/install-live-tools.sh
	$(BIN)/workshop sandbox build --with tekton,rollouts
	$(BIN)/python -m tests.rig

agreement: $(INSTALLED_DEV)  ## Hold the policy evaluator against the real Kyverno of the sandbox
	$(BIN)/python -m tests.agreement

mutants: $(INSTALLED_DEV)  ## Prove that the checks can fail: every small mistake in the reference solutions
	$(BIN)/python -m tests.mutants

fuzz: $(INSTALLED_DEV)  ## 100,000 inputs for the readers and the evaluator
	nice $(BIN)/python -m tests.fuzz

lock: $(INSTALLED_DEV)  ## Resolve the newest good versions again
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade pyproject.toml --group dev -o requirements/dev.txt

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(VENV)/bin/python requirements/runtime.txt requirements/build.txt pyproject.toml
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(COMPILE)
	touch $@

$(INSTALLED_DEV): $(VENV)/bin/python requirements/dev.txt pyproject.toml
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(COMPILE)
	touch $@ $(INSTALLED)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache
