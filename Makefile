# `make` lists what there is. Everything sets itself up: nothing has to be installed by hand but Python 3.11 or newer.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

# The stack, as in `make preview STACK=prod`, and more arguments for the command, as in `make up STACK=prod ARGS=--diff`.
STACK ?=
ARGS ?=
# The git reference that `make report BASE=main` compares the working copy with.
BASE ?=

PULUMI := bin/pulumi-local
PYTHON := .venv/bin/python
STACKS = $(sort $(patsubst Pulumi.%.yaml,%,$(wildcard Pulumi.*.yaml)))
PATHS := __main__.py infra stacks components services tests benchmarks
# What is not there yet is not checked.
CHECKED = $(wildcard $(PATHS))

.PHONY: help setup tools preview up refresh destroy outputs test test-all test-cluster test-times drill lint types format benchmark docs golden report prices lock sbom audit fresh clean
.PHONY: cloud-up cloud-env cloud-down capacity recovery cluster-tools cluster-up cluster-down need-stack need-venv

help: ## List what can be made
	@printf 'make TARGET [STACK=NAME] [ARGS="..."]\n\n'
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) \
		| while IFS='|' read -r name what; do printf '  %-13s %s\n' "$$name" "$$what"; done
	@printf '\nstacks: %s\n' '$(STACKS)'

setup: ## Make .venv with the pinned requirements
	@bin/setup

tools: need-venv ## Find or build the Pulumi engine now, not at first use
	@$(PYTHON) -m infra.local.engines

cluster-tools: need-venv ## Build the Kubernetes control plane, KEDA, Istio and Helm now, not at first use
	@$(PYTHON) -m infra.local.tools $(ARGS)

cluster-up: need-stack need-venv ## Start a real Kubernetes API for STACK's objects, on this machine
	@$(PYTHON) -m infra.local.cluster up --stack '$(STACK)' $(ARGS)

cluster-down: need-stack need-venv ## Stop it; what it stores stays for the next time
	@$(PYTHON) -m infra.local.cluster down --stack '$(STACK)' $(ARGS)

cloud-up: need-venv ## Start the AWS on this machine (moto) with all that it held; `up` does so too
	@$(PYTHON) -m infra.local.cloud up $(ARGS)

cloud-env: need-venv ## Print the variables that lead boto3 and the AWS CLI to it
	@$(PYTHON) -m infra.local.cloud env $(ARGS)

cloud-down: need-venv ## Stop it; what it holds stays for the next time (ARGS=--forget drops it)
	@$(PYTHON) -m infra.local.cloud down $(ARGS)

preview: need-stack ## Show what would change in STACK, on this machine
	@$(PULUMI) preview --stack '$(STACK)' $(ARGS)

up: need-stack ## Create or update STACK, on this machine
	@$(PULUMI) up --yes --stack '$(STACK)' $(ARGS)

refresh: need-stack ## Compare STACK's state with the stand-ins
	@$(PULUMI) refresh --yes --stack '$(STACK)' $(ARGS)

destroy: need-stack ## Delete all of STACK, on this machine
	@$(PULUMI) destroy --yes --stack '$(STACK)' $(ARGS)

recovery: need-stack need-venv ## Show STACK's recovery objectives beside what its settings add up to
	@$(PYTHON) -m infra.recovery_report '$(STACK)'

outputs: need-stack ## Show STACK's outputs as JSON
	@$(PULUMI) stack output --json --stack '$(STACK)' $(ARGS)

capacity: need-stack need-venv ## Show what STACK needs for the planned traffic, and its head-room
	@$(PYTHON) -m infra.capacity --stack '$(STACK)' $(ARGS)

test: need-venv ## Run the unit tests, on all cores: no engine, no server, no network
	@$(PYTHON) -m pytest tests/unit --numprocesses auto --dist loadfile $(ARGS)

test-all: need-venv ## Run these, and those with the real engine, real servers (README, tests) and a real Kubernetes
	@FUZZ_EXAMPLES=1000 $(PYTHON) -m pytest tests/unit tests/engine tests/dataplane tests/cluster $(ARGS)

test-cluster: need-venv ## Run the tests with a real Kubernetes control plane, built from Go at first
	@$(PYTHON) -m pytest tests/cluster $(ARGS)

test-times: need-venv ## Measure autoscaling and recovery in real time: twenty minutes, next to no cpu; curves in .pulumi-local
	@PARKING_CURVES='$(CURDIR)/.pulumi-local/curves' $(PYTHON) -m pytest tests/times $(ARGS)

drill: need-venv ## Measure what recoveries consist of, on real servers and a local cloud (8 minutes), into docs/drill.json
	@rm -rf .pulumi-local/drill
	@PARKING_DRILL='$(CURDIR)/.pulumi-local/drill' $(PYTHON) -m pytest --show-capture=no \
		tests/dataplane/test_failover.py tests/times/test_drill.py tests/times/test_rescheduling.py $(ARGS)
	@$(PYTHON) -m infra.drill .pulumi-local/drill

lint: need-venv ## Check style
	@$(PYTHON) -m ruff check $(CHECKED) $(ARGS)
	@$(PYTHON) -m ruff format --check $(CHECKED)

types: need-venv ## Check types
	@$(PYTHON) -m pyright $(ARGS)

format: need-venv ## Format the code and mend what can be mended
	@$(PYTHON) -m ruff check --fix $(CHECKED)
	@$(PYTHON) -m ruff format $(CHECKED)

benchmark: need-venv ## Measure previews, and the pooler on a real PostgreSQL, and print tables
	@$(PYTHON) -m benchmarks $(ARGS)

report: need-venv ## Write a page about STACK; with BASE=<git ref> print what a change does to the stacks
	@$(PYTHON) -m infra.report $(if $(BASE),--base '$(BASE)') $(if $(STACK),--stack '$(STACK)') $(ARGS)

prices: need-venv ## Renew the prices from the AWS Price List API; needs AWS credentials
	@$(PYTHON) -m infra.cost.refresh $(ARGS)

docs: need-venv ## Write the generated documentation
	@$(PYTHON) -m infra.docs $(ARGS)

golden: need-venv ## Record what all resources are called, after a wanted rename, addition or removal
	@$(PYTHON) -m infra.docs --golden $(ARGS)

lock: need-venv ## Pin anew what requirements.txt and requirements-dev.txt ask for, with hashes
	@$(PYTHON) -m uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 requirements-dev.txt --output-file requirements.lock $(ARGS)

sbom: need-venv ## List every locked package with hashes and licence as CycloneDX, in dist/sbom.json
	@$(PYTHON) -m infra.supply.sbom

audit: need-venv ## Look for known vulnerabilities of locked packages; needs PyPI's own advisory database
	@$(PYTHON) -m infra.supply.audit

fresh: need-venv ## Set up once more from an empty cache, in a temporary folder, and compare with the lock
	@$(PYTHON) -m infra.supply.reproducible

clean: ## Remove caches and .venv; state in .pulumi-local stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

need-venv:
	@bin/setup --if-needed

need-stack:
	@if [ -z '$(STACK)' ]; then \
		printf 'error: which stack? STACK is not set.\n  there are: %s\n' '$(STACKS)' >&2; \
		printf '  to do: name one, as in: make $(firstword $(MAKECMDGOALS)) STACK=%s\n' '$(firstword $(STACKS))' >&2; \
		exit 1; \
	fi
