# What needs more than Rust, git and a C compiler. Each target installs what is missing and says what it installs.
# `make test` is everything; `cargo test --workspace` is all that needs nothing more.

# The version that deny.toml was written for.
CARGO_DENY := 0.20.2

# Every scripts/test-NAME.sh is a target test-NAME and part of `make test`; its second line says what it shows.
EXTRA := $(patsubst scripts/%.sh,%,$(sort $(wildcard scripts/test-*.sh)))

# Every scripts/slow-NAME.sh is a target slow-NAME, called by the gate when there is time for it.
SLOW := $(patsubst scripts/%.sh,%,$(sort $(wildcard scripts/slow-*.sh)))

.PHONY: help test test-cargo deny bench tidy codegen $(EXTRA) $(SLOW)
# The targets build into one target directory and measure time: one after the other.
.NOTPARALLEL:

help:
	@echo "make test            cargo test --workspace, then every test below"
	@for name in $(EXTRA) $(SLOW); do printf 'make %-15s %s\n' "$$name" "$$(sed -n '2s/^# *//p' scripts/$$name.sh)"; done
	@echo "make deny            licences, bans and sources of dependencies (installs cargo-deny)"
	@echo "make bench           figures, each beside the floor of the same run"
	@echo "make tidy            the walls of the house"
	@echo "make codegen         write generated files"

test: test-cargo $(EXTRA)
	@echo "make test: passed: test-cargo $(EXTRA)"

# CARGO_TEST_DONE=1 says that the tests just ran, in a bare environment (.ci/run), so that they are not run again.
test-cargo:
ifdef CARGO_TEST_DONE
	@echo "test-cargo: ran already"
else
	cargo test --workspace
endif

test-bare: BARE := $(if $(CARGO_TEST_DONE),demo)

$(EXTRA) $(SLOW):
	scripts/forgive.sh scripts/$@.sh $(BARE)

deny:
	@cargo deny --version >/dev/null 2>&1 || \
		{ echo "deny: installing cargo-deny $(CARGO_DENY)"; cargo install --locked --quiet cargo-deny@$(CARGO_DENY); }
	cargo deny --workspace check --hide-inclusion-graph bans licenses sources

bench:
	cargo run --release -p bench

tidy:
	cargo run -q -p xtask -- tidy

codegen:
	cargo run -q -p xtask -- codegen
