# Two commands are enough: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { command -v $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
COMPILED = setup.py lstm_music/midi/loops.py lstm_music/midi/loops.pxd
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Where it is set, every command that a test starts would compile this project anew, which takes a second.
unexport PYTHONDONTWRITEBYTECODE

STUDIO = tests/studio_js
.PHONY: demo serve install install-bench test coverage check types style docs studio-check clean

demo: install  ## the whole pipeline on Bach chorales: a few minutes
	$(BIN)/lstm-music run --recipe demo

serve: install  ## a Prefect server, a worker and the deployments on this machine, until Ctrl-C
	@$(BIN)/python -m flows.engine.serve $(SERVE)

install: $(VENV)/.installed  ## a virtual environment with the `lstm-music` command

install-bench: $(VENV)/.installed-bench  ## what some benchmarks need beside it: PyTorch (on Linux gigabytes, where the index has no CPU build)

test: $(VENV)/.installed-test  ## every test, two files at a time
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

coverage: $(VENV)/.installed-test  ## every test, with what of the library it reached: a quarter longer
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

check: types style docs  ## style, types, layers, and every link of the documentation; --jobs 2 checks side by side

types: $(VENV)/.installed-test
	$(BIN)/mypy

style: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

docs: $(VENV)/.installed-test  ## the documentation site, in build/docs/index.html; a warning is an error
	$(BIN)/sphinx-build --quiet --fresh-env --write-all --fail-on-warning --keep-going --jobs auto docs build/docs
	@echo "the site is in build/docs/index.html"

studio-check: $(STUDIO)/node_modules  ## types, style and tests of the scripts of the composing page; needs Node.js 20 or later
	cd $(STUDIO) && node_modules/.bin/tsc
	$(STUDIO)/node_modules/.bin/eslint --config $(STUDIO)/eslint.config.js lstm_music/studio $(STUDIO)
	$(STUDIO)/node_modules/.bin/prettier --config $(STUDIO)/.prettierrc.json --check 'lstm_music/studio/*/*.js' '$(STUDIO)/*.{js,mjs,json}'
	node --test $(STUDIO)/*.test.mjs

$(STUDIO)/node_modules: $(STUDIO)/package.json
	cd $(STUDIO) && npm install --no-audit --no-fund
	@touch $@

clean:  ## remove what was installed and cached; storage stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "lstm-music needs Python 3.11, 3.12 or 3.13, and none was found: install one, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { echo "lstm-music needs Python 3.11, 3.12 or 3.13, and PYTHON=$(PYTHON) is another: say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(COMPILED) | $(VENV)/bin/python
	$(INSTALL) --editable '.[train]'
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt $(COMPILED) | $(VENV)/bin/python
	$(INSTALL) --editable '.[test,check,docs]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(INSTALL) --editable '.[bench]'
	@touch $@
