# `make demo` and `make test` do all the set-up; both need Python 3.11 and make alone.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
UV := 0.13.9
# Whatever is installed has its version and digest in requirements.txt; wheels that pip is told of count here too.
INSTALL := UV_FIND_LINKS=$(PIP_FIND_LINKS) $(BIN)/uv pip install --quiet --python $(BIN)/python --constraints requirements.txt
# torch 2.13.0+cpu, CPython 3.11, Linux on x86-64
TORCH_CPU := 6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b

# Where it is set, every process compiles anew what it imports, which takes longer than most tests.
unexport PYTHONDONTWRITEBYTECODE

# File by file, all of a browser's together, in the order of tests/conftest.py, longest first: else both cores don't end together.
# A lane is a folder: what another one imports is not read. Many tests wait for a browser or a server: there is one process more
# than cores.
PYTEST = $(BIN)/pytest --numprocesses $$(($$(nproc) + 1)) --no-loadscope-reorder --durations 10

.PHONY: demo test test-fast test-system tests lint style types lock clean

demo: .stamps/app
	$(BIN)/streamlit run app.py --server.port $(PORT)

# Beside each other: mypy runs on one core, and only when nothing failed is it over.
test: .stamps/dev .stamps/chromium
	$(MAKE) --no-print-directory --jobs 3 --keep-going style types tests

test-fast: .stamps/dev
	$(PYTEST) --ignore tests/system --ignore tests/browser

test-system: .stamps/dev .stamps/chromium .stamps/nginx .stamps/colin27
	$(PYTEST) tests/system

tests:
	$(PYTEST) --ignore tests/system

lint: .stamps/dev
	$(MAKE) --no-print-directory --jobs 2 style types

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types:
	$(BIN)/mypy vaead_core models training pages benchmarks app.py

.stamps/venv:
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement deploy/uv.txt
	mkdir -p .stamps && touch $@

.stamps/app: pyproject.toml requirements.txt .stamps/venv
	$(INSTALL) --editable .
	touch $@

.stamps/dev: pyproject.toml requirements.txt .stamps/venv
	$(INSTALL) --editable '.[dev]'
	touch $@

# Versions and digests of all that pyproject.toml asks for, chosen anew only where they must be; and torch's CPU build.
lock: .stamps/venv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file requirements.txt pyproject.toml
	echo uv==$(UV) | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file deploy/uv.txt -
	sed -i -e '/$(TORCH_CPU)/d' -e '/^torch==2.13.0 /a\    --hash=sha256:$(TORCH_CPU) \\' requirements.txt

# The browser tests drive Debian's chromium without windows, which is installed where apt-get may be used and has it, else chromium.
.stamps/chromium: .stamps/venv
	command -v chromium-headless-shell >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium-headless-shell) \
		|| command -v chromium >/dev/null || apt-get install -y -qq chromium
	touch $@

# deploy/nginx.conf is tested with nginx itself, got in the same way.
.stamps/nginx: .stamps/venv
	command -v nginx >/dev/null || (apt-get update -qq && apt-get install -y -qq nginx-light openssl)
	touch $@

# A whole head that is free to use: Colin27, which Debian packages with MRIcron.
.stamps/colin27: .stamps/venv
	test -f /usr/share/mricron/templates/ch2.nii.gz \
		|| (apt-get update -qq && apt-get install -y -qq --no-install-recommends mricron-data)
	touch $@

clean:
	rm -rf $(VENV) .stamps
