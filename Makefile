# Every target does the set-up it needs. `make run` and `make test` work on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin

# No telemetry, no colour codes.
export ZENML_ANALYTICS_OPT_IN := false
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := true
export ZENML_LOGGING_COLORS_DISABLED := true

.PHONY: help setup stack run retrain story test unit integration gpu documents check docs reference sizes format lock nano small clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready ## virtual environment with the locked dependencies

# make setup LOCK= installs the newest version of everything that pyproject.toml allows.
LOCK ?= --constraint requirements.lock

.venv/.ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $(LOCK) --editable '.[dev]'
	touch $@

stack: .venv/.ready ## local ZenML stack with MLflow tracker and registry; creates what is missing
	$(BIN)/python -m pipelines.local_stack
	touch .zen/.stack

.zen/.stack: .venv/.ready pipelines/local_stack.py
	$(MAKE) stack

run: .zen/.stack ## the whole pipeline on the built-in base and data set
	$(BIN)/zenml pipeline run florence_finetune -c configs/quickstart.yaml

# For your own data: make retrain FINETUNE=my.yaml PROMOTE=my-promotion.yaml
FINETUNE ?= configs/retrain.yaml
PROMOTE ?= configs/promote.yaml

# With a ZenML server the stack is one of the server.
retrain: $(if $(ZENML_STORE_URL),.venv/.ready,.zen/.stack) ## fine-tune if something changed, then promote if it is better; status 3: held
	$(BIN)/python -m pipelines.retrain $(FINETUNE) $(PROMOTE)

story: .venv/.ready ## the life of a model on built-in data: promoted, unchanged, better, poisoned, rolled back
	$(BIN)/python -m benchmarks.story

# The longest files begin, so that both processes end together: tests/conftest.py.
TWO_PROCESSES := --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: unit ## all tests
	$(BIN)/pytest $(TWO_PROCESSES) tests/integration tests/documents

unit: .venv/.ready ## unit tests, without ZenML and network
	$(BIN)/pytest $(TWO_PROCESSES) tests/unit

integration: .venv/.ready ## tests of the real pipeline
	$(BIN)/pytest $(TWO_PROCESSES) tests/integration

gpu: .venv/.ready ## tests that need a CUDA GPU
	$(BIN)/pytest tests/gpu

documents: .venv/.ready ## tests of every command and code block of the documents, of the notebook and the site
	$(BIN)/pytest $(TWO_PROCESSES) tests/documents

check: .venv/.ready ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# If the notebook fails, the site is made without the outputs of its cells, and the target fails in the end.
docs: .venv/.ready ## the documents as plain files: docs/_build/html/index.html
	@ran=0 made=0; \
	$(MAKE) $(TUTORIAL) || ran=$$?; \
	$(BIN)/sphinx-build --builder html --nitpicky --fail-on-warning --quiet docs docs/_build/html || made=$$?; \
	[ $$ran = 0 ] || echo 'docs/tutorial.ipynb: a cell failed, see above; the site shows it without results' >&2; \
	[ $$ran$$made = 00 ]

TUTORIAL := docs/_build/executed/tutorial.ipynb

$(TUTORIAL): .venv/.ready docs/tutorial.ipynb
	$(BIN)/python -m docs.generator.executed docs/tutorial.ipynb $@

reference: .venv/.ready ## the pages of docs/ that follow from the code
	$(BIN)/python -m docs.generator

sizes: .venv/.ready ## the sizes in docs/architecture.md, from a small training that is traced: a minute
	$(BIN)/python -m docs.generator.house

format: .venv/.ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/.ready ## resolve the dependencies again
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra gcs --universal --python-version 3.11 --upgrade \
		--no-header --no-annotate --output-file requirements.lock

nano: .venv/.ready ## pretrain builtin:nano again, on one core in 45 minutes
	$(BIN)/python -m pretraining --size nano --device cpu

small: .venv/.ready ## pretrain builtin:small again, in 7 minutes on an H100
	$(BIN)/python -m pretraining --size small --workers 14 --device cuda

clean: ## remove what the targets made, but for the virtual environment
	rm -rf docs/_build outputs runs .zen .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
