#!/usr/bin/env bash
# Fifty demos, the daemon of each killed at another line of its journal: nothing is lost, told twice or left running.
#
# Each run kills with SIGKILL when the journal has reached its line, at once or some milliseconds later, and in every
# third run kills the next daemon as well, as soon as it starts. The demo itself brings the daemon back. The table says
# what was on its way at that moment. The test is crates/ao/tests/demo/kill.rs.
set -euo pipefail

# A quarter of an hour on two cores that have nothing else to do.
readonly LIMIT=1500

cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"
cargo test --quiet -p ao --test demo --no-run
log=$(mktemp)
trap 'rm -f "$log"' EXIT
timeout -k 30 "$LIMIT" cargo test --quiet -p ao --test demo -- --ignored --exact kill::fifty_kills --nocapture | tee "$log"
# A test that was renamed would pass without having run.
grep -q '1 passed' "$log"
