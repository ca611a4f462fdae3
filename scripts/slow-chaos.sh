#!/usr/bin/env bash
# The chaos test ten times as long, and its viewers judged by xterm.js as well (installs @xterm/headless).
#
# `AO_CHAOS_SEED` repeats a run. The test is crates/ao/tests/chaos/kills.rs; what its viewers were given is compared in
# scripts/xterm/moments.mjs with what the host said of its screen, and with a second viewer's snapshot.
set -euo pipefail

# The version whose widths and modes were compared, as in test-xterm.
readonly XTERM=5.5.0
# Half an hour on two cores that have nothing else to do.
readonly LIMIT=3000

cd "$(dirname "$0")/.."
scripts/need.sh node npm
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-chaos.XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir "$place/cases"
cp scripts/xterm/moments.mjs "$place"
echo "slow-chaos: installing @xterm/headless $XTERM"
if ! npm install --silent --no-audit --no-fund --prefix "$place" "@xterm/headless@$XTERM"; then
    echo "slow-chaos: skipped: the npm registry cannot be reached" >&2
    exit 0
fi
cargo test --quiet -p ao --test chaos --no-run
AO_CHAOS_KILLS="${AO_CHAOS_KILLS:-1000}" AO_CHAOS_CASES="$place/cases" timeout -k 30 "$LIMIT" \
    cargo test --quiet -p ao --test chaos -- --nocapture | tee "$place/log"
# A test that was renamed would pass without having run.
grep -q 'nothing is left' "$place/log" || { echo "slow-chaos: the test did not come to its end" >&2; exit 1; }
node "$place/moments.mjs" "$place/cases"
