#!/usr/bin/env bash
# The page: types, vendored files, and what it does in Chromium, recorded and against the real daemon (installs what it needs).
set -euo pipefail

# The versions that the page was written for; xterm.js and its addon are the vendored ones.
readonly TYPESCRIPT=5.9.3 PLAYWRIGHT=1.65.1 WS=8.23.0 AXE=4.14.1 XTERM=6.0.0 FIT=0.11.0

cd "$(dirname "$0")/.."
scripts/need.sh node npm chromium
web=$PWD/crates/web
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-web.XXXXXX")
trap 'rm -rf "$place"' EXIT

echo "test-web: installing typescript $TYPESCRIPT, playwright-core $PLAYWRIGHT, ws $WS, axe-core $AXE, @xterm/xterm $XTERM, @xterm/addon-fit $FIT"
npm install --silent --no-audit --no-fund --prefix "$place" "typescript@$TYPESCRIPT" "playwright-core@$PLAYWRIGHT" "ws@$WS" \
    "axe-core@$AXE" "@xterm/xterm@$XTERM" "@xterm/addon-fit@$FIT"

packages=$place/node_modules/@xterm
for pair in xterm.mjs:xterm/lib/xterm.mjs xterm.css:xterm/css/xterm.css xterm.LICENSE.txt:xterm/LICENSE \
    addon-fit.mjs:addon-fit/lib/addon-fit.mjs addon-fit.LICENSE.txt:addon-fit/LICENSE; do
    cmp "$web/ui/vendor/${pair%%:*}" "$packages/${pair#*:}"
done
echo "test-web: vendored files are those of their packages"

# The packages' types stand in for the vendored modules, which have none.
mkdir -p "$place/ui/vendor"
cp "$web"/ui/*.js "$web"/ui/*.ts "$place/ui"
echo "export * from '@xterm/xterm';" >"$place/ui/vendor/xterm.d.mts"
echo "export * from '@xterm/addon-fit';" >"$place/ui/vendor/addon-fit.d.mts"
cp "$web/test/tsconfig.json" "$place"
"$place/node_modules/.bin/tsc" -p "$place/tsconfig.json"
echo "test-web: types agree"

cargo build --quiet --bin ao
cp "$web"/test/*.mjs "$place"
# One file after the other: each drives a browser.
AO=$PWD/target/debug/ao WEB=$web CHROMIUM=$(command -v chromium) \
    node --test --test-concurrency=1 --test-reporter=spec "$place"/*.test.mjs
