#!/usr/bin/env bash
# The screen engine and its snapshots against xterm.js, over recordings of agents and random streams (installs @xterm/headless).
set -euo pipefail

# That of the page, whose widths it is given.
readonly XTERM=6.0.0
# Random streams of the grammar in crates/host/src/engine/tests/grammar.rs; COUNT more or other ones by AO_STREAMS="FIRST COUNT".
read -r first count <<<"${AO_STREAMS:-0 400}"

cd "$(dirname "$0")/.."
scripts/need.sh node npm
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-xterm.XXXXXX")
trap 'rm -rf "$place"' EXIT
cp scripts/xterm/compare.mjs "$place"
cp crates/web/ui/widths.js "$place/widths.mjs"
echo "test-xterm: installing @xterm/headless $XTERM"
npm install --silent --no-audit --no-fund --prefix "$place" "@xterm/headless@$XTERM"
cargo build --quiet -p ao-host --example replay
replay=${CARGO_TARGET_DIR:-target}/debug/examples/replay
"$replay" --cuts >"$place/reports"
echo -n "snapshots after every byte: "
node "$place/compare.mjs" <"$place/reports"
for cast in crates/testkit/fixtures/casts/*.cast; do
    "$replay" "$cast" >"$place/reports"
    echo -n "$(basename "$cast"): "
    node "$place/compare.mjs" <"$place/reports"
done
"$replay" --random "$first" "$count" >"$place/reports"
echo -n "random streams from $first on: "
node "$place/compare.mjs" <"$place/reports"
