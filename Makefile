# Each line is a command that a person can type; README.md has them for Windows, where there is no make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt

.PHONY: report test lab docs bench notebooks weights badges clean

report: .venv/ready-notebooks  ## run the course's notebooks on the sample and build report/index.html
	$(BIN)/mpii report --folder report

test: .venv/ready-test  ## what CI runs: style, types, docs, tests, and every notebook from its first cell to its last
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sphinx-build -W -q docs docs/_build/html
	rm -rf .cache/test
	MPII_CACHE_DIR=$(CURDIR)/.cache/test $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --nbval-lax --nbval-current-env --nbval-cell-timeout=600 --max-worker-restart=2

lab: .venv/ready-notebooks  ## open the notebooks
	$(BIN)/jupyter lab notebooks

docs: .venv/ready-docs  ## build docs/_build/html
	$(BIN)/sphinx-build -W -q docs docs/_build/html

bench: .venv/ready-notebooks  ## measure the claims in benchmarks/README.md, as ratios
	$(BIN)/python benchmarks/run_all.py

notebooks: .venv/ready-notebooks  ## run every notebook in place and keep its outputs
	$(BIN)/python scripts/refresh_notebooks.py

weights: .venv/ready-notebooks  ## train the sample weights of the small backbones and the hourglass again (hours)
	$(BIN)/python scripts/train_sample_weights.py --folder build/backbones
	$(BIN)/python scripts/train_sample_hourglass.py --folder build/hourglass/1 --epochs 11 --output build/hourglass/first.npz
	$(BIN)/python scripts/train_sample_hourglass.py --folder build/hourglass/2 --epochs 4 --learning-rate 5e-4 --start build/hourglass/first.npz

badges: .venv/ready-notebooks  ## write the repository's address from pyproject.toml into badges and install lines
	$(BIN)/python scripts/make_badges.py

clean:  ## remove what the other commands made, but not downloaded data
	rm -rf .venv .cache report docs/_build docs/notebooks .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/ready-notebooks: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e '.[notebooks]'
	@touch $@

.venv/ready-test .venv/ready-docs: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e '.[notebooks,test,docs]'
	@touch .venv/ready-notebooks .venv/ready-test .venv/ready-docs
