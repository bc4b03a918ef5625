# Every target sets itself up: a virtual environment in .venv, made from pyproject.toml.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint unit simulation failpoints images mutants cluster chaos long benchmarks proto fixtures foreign clean

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("raybase needs Python 3.11 or later; name one: make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable . --group test --group lint
	touch $@

demo: $(READY)
	$(BIN)/raybase demo

test: $(READY)
	$(BIN)/python -m pytest

unit: $(READY)
	$(BIN)/python -m pytest tests/unit

simulation: $(READY)
	$(BIN)/python -m pytest tests/simulation

# A death at every step of every protocol, or at one part of them: make failpoints OF=10 TURN=3
failpoints: $(READY)
	$(BIN)/python -m raybase.testing failpoints --of $(or $(OF),1) --turn $(or $(TURN),0)

images: $(READY)
	$(BIN)/python -m raybase.testing images --times 3

# All mutants, or one part of them: make mutants OF=6 TURN=$(git rev-list --count HEAD)
mutants: $(READY)
	$(BIN)/python -m raybase.testing mutants --of $(or $(OF),1) --turn $(or $(TURN),0)

cluster: $(READY)
	$(BIN)/python -m pytest tests/cluster

# A real cluster of several nodes, broken for twenty minutes: make chaos MINUTES=8 SEED=7
chaos: $(READY)
	$(BIN)/python -m raybase.testing chaos --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED))

# What make test leaves out: more seeds, more data, and examples that no run had before.
long: $(READY)
	$(BIN)/python -m pytest tests/unit -m "long or not long" --hypothesis-profile random --timeout 1800

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tests/check_types.py

benchmarks: $(READY)
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m benchmarks

proto: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" rpc/proto/generate

# Needs Java 17 and Maven: HBase itself writes them.
fixtures:
	tests/fixtures/hbase/write

# HBase reads what raybase writes for it.
foreign: $(READY)
	tests/fixtures/hbase/writer/run build
	$(BIN)/python -m pytest -m long tests/foreign

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
