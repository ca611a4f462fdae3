#!/usr/bin/env bash
# The chaos test ten times as long, and its viewers judged by xterm.js as well (installs @xterm/headless).
#
# It goes in rounds of AO_CHAOS_ROUND kills (200), each in a world of its own, until AO_CHAOS_KILLS (1000) are reached, and
# says after each with which seed it went and how to go on from there if it is ended. `AO_CHAOS_SEED` repeats a run, or a
# round. The test is crates/ao/tests/chaos/kills.rs; what its viewers were given is compared in scripts/xterm/moments.mjs
# with what the host said of its screen, and with a second viewer's snapshot.
set -euo pipefail

# The version whose widths and modes were compared, as in test-xterm.
readonly XTERM=5.5.0
# Seconds for a round: a minute each for thirty kills on two cores that have nothing else to do, five times as much on busy ones.
readonly LIMIT=2000

cd "$(dirname "$0")/.."
scripts/need.sh node npm
kills=${AO_CHAOS_KILLS:-1000}
round=${AO_CHAOS_ROUND:-200}
reached=${AO_CHAOS_FROM:-0}
seed=${AO_CHAOS_SEED:-$(date +%s)}
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-chaos.XXXXXX")
# shellcheck disable=SC2317,SC2329
ended() {
    local code=$?
    rm -rf "$place"
    if [[ $reached -lt $kills && $code -ne 0 ]]; then
        echo "slow-chaos: $reached of $kills kills are done; go on with: AO_CHAOS_SEED=$seed AO_CHAOS_FROM=$reached $0" >&2
    fi
    exit "$code"
}
trap ended EXIT
trap 'exit 130' INT TERM
cp scripts/xterm/moments.mjs "$place"
echo "slow-chaos: installing @xterm/headless $XTERM"
if ! npm install --silent --no-audit --no-fund --prefix "$place" "@xterm/headless@$XTERM"; then
    echo "slow-chaos: skipped: the npm registry cannot be reached" >&2
    reached=$kills
    exit 0
fi
cargo test --quiet -p ao --test chaos --no-run
while [[ $reached -lt $kills ]]; do
    now=$((kills - reached < round ? kills - reached : round))
    rm -rf "$place/cases" "$place/log"
    mkdir "$place/cases"
    # Every round has a seed that follows from the first.
    AO_CHAOS_SEED=$((seed + reached)) AO_CHAOS_KILLS=$now AO_CHAOS_CASES="$place/cases" timeout -k 30 "$LIMIT" \
        cargo test --quiet -p ao --test chaos -- --nocapture 2>&1 | tee "$place/log"
    # A test that was renamed would pass without having run.
    grep -q 'nothing is left' "$place/log" || { echo "slow-chaos: the test did not come to its end" >&2; exit 1; }
    node "$place/moments.mjs" "$place/cases"
    reached=$((reached + now))
    echo "slow-chaos: $reached of $kills kills are done (AO_CHAOS_SEED=$seed)"
done
