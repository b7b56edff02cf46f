SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test coverage lint fix deps docs audit

# the first Python of a version that constraints.txt was tested with
VERSIONS := 3.11 3.12 3.13
PYTHON ?= $(shell for name in python3 $(VERSIONS:%=python%); do "$$name" -c '$(is_tested)' 2>/dev/null && echo "$$name" && break; done)
is_tested := import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(VERSIONS)".split())
# make setup INDEX=ADDRESS: of more packages, such as PyTorch's for CPUs alone, which are preferred; EXTRAS=: without dev
INDEX ?=
EXTRAS ?= dev
# first, so that `dvc` and `pytest` are those of .venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: .venv/installed ## make .venv and install the tested versions into it

# in order of time, so that a change of either file installs again and nothing else does
.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(is_tested)' || { \
		echo "Python 3.11, 3.12 or 3.13 is needed (apt install python3 python3-venv; where that is older," \
			"python3.11 python3.11-venv); if it lies elsewhere: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: apt install python3-venv" >&2; exit 1; }
	@.venv/bin/python -c '' 2>/dev/null || "$(PYTHON)" -m venv --clear .venv
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
	@echo "Installing into .venv. The first time takes minutes: 7 GB, most of it torch and its libraries."
	@.venv/bin/python -m pip install --no-input --disable-pip-version-check --use-pep517 -c constraints.txt \
		$(INDEX:%=--extra-index-url %) -e '.$(EXTRAS:%=[%])' \
		| sed -u -n -e 's/^ *\(Downloading.* [MG]B)\)/\1/p' -e 's/^\(Installing collected packages\):.*/\1/p' \
			-e '/^The conflict is caused by/,/^$$/p'
	@touch $@

run: setup ## make everything that dvc.yaml describes: pictures, models, figures
	@# DVC asks for a git repository unless it is told that there is none, as where this was unpacked from a zip
	@if [ ! -e .git ]; then dvc config --local core.no_scm true; \
		elif grep -qs no_scm .dvc/config.local; then dvc config --local --unset core.no_scm; fi
	@# names that could not be fetched the last time
	@if grep -qs '^"": ' data/names.json; then dvc repro --force --single-item names; fi
	@python -m stages.check
	@python -m app forecast || true # whatever is wrong, the stage that it stops says so
	dvc repro
	@echo "New pictures: metrics/evaluate/samples.png; more of them: .venv/bin/python -m app generate"
	@echo "Figures: .venv/bin/dvc metrics show; sheets, curves and the GIF of training: metrics/"

test: setup ## run the tests; with CI=true also the one that fetches the real package
	pytest -n auto --dist loadfile --no-loadscope-reorder $(if $(filter true,$(CI)),,-m "not network")

coverage: setup ## run the tests and list the lines that none of them runs, in subprocesses too
	coverage erase
	coverage run -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not network"
	coverage combine --quiet
	coverage report --show-missing --skip-covered

lint: setup ## check style and types
	ruff check
	ruff format --check
	@rm -f app/page/*.pyi # Gradio writes them; mypy would read them instead of the code
	mypy

fix: setup ## mend what ruff can mend by itself
	ruff check --fix
	ruff format

docs: setup ## build the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 mkdocs build

deps: setup ## write into dvc.yaml which packages each stage imports from
	python -m tests.support.deps

audit: setup ## list what is installed in sbom.json (CycloneDX), and its known vulnerabilities
	@.venv/audit/bin/python -c '' 2>/dev/null || python -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --no-input --disable-pip-version-check cyclonedx-bom==7.5.0 pip-audit==2.10.1
	.venv/audit/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json .venv/bin/python
	python -m pip freeze --exclude-editable | .venv/audit/bin/pip-audit --progress-spinner off --disable-pip --no-deps -r /dev/stdin
