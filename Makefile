# What needs more than Rust, git and a C compiler. Each target installs what is missing and says what it installs.
# `make test` is everything; `cargo test --workspace` is all that needs nothing more.

# The version that deny.toml was written for.
CARGO_DENY := 0.20.2

.PHONY: help test test-cargo test-bare deny bench tidy codegen

help:
	@echo "make test        cargo test --workspace, then everything below that tests"
	@echo "make test-bare   both commands of the README in a clean clone with an empty environment"
	@echo "make deny        licences, bans and sources of dependencies (installs cargo-deny)"
	@echo "make bench       figures, each beside the floor of the same run"
	@echo "make tidy        the walls of the house"
	@echo "make codegen     write generated files"

test: test-cargo test-bare
	@echo "make test: passed"

# CARGO_TEST_DONE=1 says that the tests just ran (.ci/run), so that they are not run twice.
test-cargo:
ifdef CARGO_TEST_DONE
	@echo "test-cargo: ran already"
else
	cargo test --workspace
endif

test-bare:
	scripts/test-bare.sh

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
