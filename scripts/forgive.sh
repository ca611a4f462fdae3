#!/usr/bin/env bash
# Runs one of the scripts of `make test`; in the gate, one that fails is run once more.
#
#   scripts/forgive.sh SCRIPT [ARGUMENT …]
#
# As with tests (scripts/test-bare.sh): if it passes then it is told as FLAKY, with the end of what it said first, in the
# file that AO_FLAKY names, and forgiven. One script in a run; what fails twice is red. Without AO_FLAKY nothing is repeated.
set -euo pipefail

# Lines of what it said first.
readonly SAID=40

if [ -z "${AO_FLAKY:-}" ]; then exec "$@"; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$@" 2>&1 | tee "$log" || status=$?
[ "$status" -ne 0 ] || exit 0
if grep -q '^FLAKY    script ' "$AO_FLAKY"; then
    echo "forgive: $1 failed, and another script was forgiven already" >&2
    exit "$status"
fi
echo "forgive: $1 failed (exit code $status); once more"
"$@"
echo "forgive: FLAKY: $1"
{
    echo "FLAKY    script $1"
    tail -n "$SAID" "$log" | sed 's/^/         | /'
} >>"$AO_FLAKY"
