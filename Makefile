# The project's two commands are `make demo` and `make test`; the others help with the work.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo demo-reset test lint docs dist sbom audit format screenshots handbook bench clean

help:
	@echo "make demo        run the demo shop and the LINE emulator"
	@echo "make demo-reset  start the demo over, with fresh data; HISTORY=1 for two years of 10,000 members"
	@echo "make test        install what the tests need and run them"
	@echo "make lint        linters and type checker"
	@echo "make docs        the documentation as a site, in build/site"
	@echo "make dist        wheel and source distribution, always the same bytes"
	@echo "make sbom        what a shop gets with the wheel, as CycloneDX in build/sbom.json"
	@echo "make audit       ask the public advisories about it; needs a way to them"
	@echo "make bench       all benchmarks beside their peers, as one table; BENCH=--quick for a short run"
	@echo "make screenshots the customer's journey as one strip of pictures"
	@echo "make handbook    the pictures of the owner's handbook, of the demo with its history"

demo: $(VENV)/.demo
	@exec $(BIN)/python -m demo_shop $(if $(HISTORY),--history)

demo-reset: $(VENV)/.demo
	@exec $(BIN)/python -m demo_shop --reset $(if $(HISTORY),--history)

test: $(VENV)/.dev
	@BIN=$(BIN) sh .ci/prepare
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/site

dist: $(VENV)/.dev
	@PYTHON=$(abspath $(BIN))/python sh .ci/package

sbom: dist
	@PYTHON=$(abspath $(BIN))/python sh .ci/sbom

audit: sbom
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --path build/sbom/lib/python3.*/site-packages

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(VENV)/.dev
	@BIN=$(BIN) sh .ci/prepare
	$(BIN)/python -m tests.stories.strip

handbook: $(VENV)/.dev
	@BIN=$(BIN) sh .ci/prepare
	$(BIN)/python -m tests.stories.handbook

bench: $(VENV)/.dev
	@BIN=$(BIN) sh .ci/prepare
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python bench/run.py --to build/bench.md $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	@PYTHON=$(PYTHON) VENV=$(VENV) sh .ci/venv

$(VENV)/.demo: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.demo
