# One file of commands. `make` alone prints them.
PYTHON ?= python3
COHORT ?= synthetic
OUT ?= reports
JOBS ?= 2

ENVIRONMENT := .venv
BIN := $(ENVIRONMENT)/bin
READY := $(ENVIRONMENT)/.ready
# pip compiles bytecode as it installs; a parent's wish not to would make every import three times slower
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help report test test-slow lint format lab bench reference lock clean

help: ## print these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) --version 2>&1`. Name another: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(ENVIRONMENT) || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

report: $(READY) ## run every notebook and write OUT/index.html (COHORT=name or folder, OUT=folder)
	$(BIN)/relapse report --cohort "$(COHORT)" --out "$(OUT)" --jobs $(JOBS)

test: lint ## lint, then run all tests but the slow simulations (JOBS files at a time)
	$(BIN)/python -m pytest -m "not slow" -n $(JOBS) --dist loadfile

test-slow: $(READY) ## the long simulations (coverage, calibration over many cohorts)
	$(BIN)/python -m pytest -m slow

lint: $(READY) ## ruff on code and notebooks; notebooks must carry no outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(BIN)/nbstripout --verify --keep-id --extra-keys "metadata.papermill cell.metadata.papermill" notebooks/*.ipynb

format: $(READY) ## let ruff and nbstripout put code and notebooks in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-id --extra-keys "metadata.papermill cell.metadata.papermill" notebooks/*.ipynb

lab: $(READY) ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

bench: $(READY) ## benchmarks, as ratios within one run
	@for bench in benchmarks/*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

reference: ## remake the R reference values (needs R with survival, cmprsk, prodlim, etm, mets, mice, riskRegression)
	@command -v Rscript >/dev/null || { echo "Rscript not found; on Debian: apt-get install r-base-core r-cran-survival r-cran-cmprsk r-cran-prodlim r-cran-etm r-cran-mets r-cran-mice r-cran-riskregression"; exit 1; }
	cd tests/reference && Rscript make_reference.R && Rscript make_reference_hazards.R && Rscript make_reference_recurrence.R && Rscript make_reference_pathways.R && Rscript make_reference_shape.R && Rscript make_reference_imputation.R && Rscript make_reference_prediction.R && Rscript make_claims.R && Rscript make_reference_standardised.R

lock: $(READY) ## remake requirements.txt from pyproject.toml (exact versions, no address of a registry)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.txt

clean: ## remove the environment, stored cohorts and reports (never data/raw)
	rm -rf $(ENVIRONMENT) data/processed/*/ reports/*/ reports/*.html .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
