# Two commands on a fresh machine: `make demo` and `make test`. Everything goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
DEMO := demo

.PHONY: demo test check docs weights clean lock

demo: .venv/demo weights
	$(BIN)/python tools/demo.py $(DEMO)
	$(BIN)/safelight run $(DEMO)/shoot --library $(DEMO)/library
	@echo "See it: $(BIN)/safelight review $(DEMO)/shoot --library $(DEMO)/library"

test: .venv/dev weights
	@$(BIN)/safelight models fetch face_identity || echo "Grouping of people is tested without real faces."
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/dev
	$(BIN)/ruff format --check src bench tests docs tools
	$(BIN)/ruff check src bench tests docs tools
	$(BIN)/mypy src bench
	$(BIN)/lint-imports
	@if command -v tsc >/dev/null; then tsc -p src/safelight/review/static/js; else echo "No tsc: the client code is not type-checked."; fi

docs: .venv/dev
	$(BIN)/python docs/_generate.py
	$(BIN)/python docs/_reference.py
	$(BIN)/python docs/_results.py
	$(BIN)/mkdocs build --strict --quiet

# Weights are optional: without them, or without a network, faces are not looked at and everything else works.
weights: .venv/base
	@$(BIN)/safelight models fetch || echo "Faces will not be looked at. Everything else works."

.venv/base: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-virtualenv --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv/demo: .venv/base requirements-demo.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-demo.lock
	touch $@

.venv/dev: .venv/demo requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

# Pins what pyproject.toml asks for, from a venv of its own.
lock:
	$(PYTHON) tools/lock.py

clean:
	rm -rf .venv $(DEMO) site build
