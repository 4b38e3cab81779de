# A thin front of the build: meson and ninja do the work, this file names what people want done. Every target first
# installs what is missing (tools/setup.sh), and runs twice without harm. `make help` lists them.
#
# Must never hold logic: what needs more than a line or two is a script in tools/.

BUILD  ?= build
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
TIME   ?= 600
TARGET ?=

SETUP := tools/setup.sh

.PHONY: all demo check bench witness fuzz lint docs golden install uninstall dist dist-check clean help
.DEFAULT_GOAL := all

all: ## build build/plimsoll (plain make does)
	@$(SETUP) build
	@test -e $(BUILD)/build.ninja || meson setup $(BUILD) --buildtype=release --prefix=$(PREFIX) >$(BUILD).log 2>&1 || \
		{ cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@ninja -C $(BUILD) -j $(JOBS) product

demo: ## make an image out of Debian's packages, scan it, show the report
	@$(SETUP) demo
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) tools/demo.sh

check: ## run all tests, with sanitizers and without; lint; a line that sums up
	@$(SETUP) check
	@JOBS=$(JOBS) tools/check.sh

bench: ## measure speed and memory side by side with other scanners
	@$(SETUP) bench
	@$(MAKE) --no-print-directory all
	@python3 bench/bench.py

witness: ## compare the findings with those of another scanner fed the same facts
	@$(SETUP) bench
	@$(MAKE) --no-print-directory all
	@python3 tests/e2e/witness.py

fuzz: ## fuzz every reader in turn, TIME=600 seconds each; or TARGET=name alone
	@$(SETUP) fuzz
	@TIME=$(TIME) TARGET=$(TARGET) JOBS=$(JOBS) tools/fuzz.sh

lint: ## clang-tidy, cppcheck, shellcheck, includes, sizes, tables
	@$(SETUP) check
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) JOBS=$(JOBS) tools/lint.sh

docs: ## man pages, made from the tables, in build/doc: man -l build/doc/plimsoll.1
	@$(SETUP) check
	@$(MAKE) --no-print-directory all
	@ls $(BUILD)/doc/*.[1-9]

golden: ## write the expected outputs of the report tests again; review the diff
	@$(SETUP) check
	@$(MAKE) --no-print-directory all
	@PLIMSOLL_UPDATE_GOLDEN=1 meson test -C $(BUILD) report >/dev/null
	@git --no-pager diff --stat -- tests/golden

install: all ## install below PREFIX=/usr/local; DESTDIR is honoured
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@ninja -C $(BUILD) -j $(JOBS) product
	@meson install -C $(BUILD) --no-rebuild --quiet

uninstall: ## remove what install put there; the same PREFIX and DESTDIR
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@ninja -C $(BUILD) build.ninja >/dev/null
	@python3 tools/uninstall.py $(BUILD)

dist: ## make what is released in build/dist: programs, packages, image, checksums (Debian 12, x86-64)
	@$(SETUP) dist
	@JOBS=$(JOBS) tools/dist.sh

dist-check: ## make it twice, compare the bytes, try what came out: half an hour on two cores
	@$(SETUP) dist-check
	@JOBS=$(JOBS) tools/dist_check.sh

clean: ## remove all build folders
	rm -rf $(BUILD) build build-asan build-clang build-fuzz

help:
	@echo "Plimsoll tells whether a container is safe to run. Start with: make demo"; echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18
