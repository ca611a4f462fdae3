#!/usr/bin/env bash
# The real Codex starts a daemon of its own, in sessions of its own; after `ao stop` none of it is left (installs it from npm).
#
# It gets an empty environment, a HOME of its own and a key that is none; its model is an address where nobody answers.
set -euo pipefail

# The version that the adapter was measured with (crates/plugins/src/agent/data).
readonly CODEX=0.169.0
# Seconds until the daemon is there: it copies itself first, some hundred megabytes.
readonly LIMIT=120

cd "$(dirname "$0")/.."
scripts/need.sh git node npm
cargo build --quiet --bin ao
ao=$(realpath "${CARGO_TARGET_DIR:-target}/debug/ao")
targets=$PWD/scripts/fix-targets
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-codex.XXXXXX")
call() {
    env -i HOME="$place/home" AO_HOME="$place/ao" LANG=C.UTF-8 TERM=xterm-256color \
        PATH="$place/npm/node_modules/.bin:/usr/local/bin:/usr/bin:/bin" "$ao" "$@"
}
trap 'call stop --all >/dev/null 2>&1; call daemon stop >/dev/null 2>&1; rm -rf "$place"' EXIT

echo "slow-codex-tree: installing @openai/codex@$CODEX with npm"
if ! npm install --loglevel=error --no-audit --no-fund --prefix "$place/npm" "@openai/codex@$CODEX" >"$place/npm.log" 2>&1; then
    cat "$place/npm.log" >&2
    "$targets/unreachable.sh" "$place/npm.log" || exit 1
    echo "slow-codex-tree: SKIPPED: npm's registry cannot be reached"
    exit 0
fi
mkdir -p "$place/home/.codex" "$place/app"
cat >"$place/home/.codex/config.toml" <<TOML
model = "gpt-5.1-codex"
model_provider = "nobody"
check_for_update_on_startup = false
[model_providers.nobody]
name = "nobody"
base_url = "http://127.0.0.1:9/v1"
env_key = "NO_KEY"
wire_api = "responses"
[projects."$place/app"]
trust_level = "trusted"
TOML
git -C "$place/app" init --quiet --initial-branch=main
git -C "$place/app" -c user.name=a -c user.email=a@localhost commit --quiet --allow-empty --message=First

# Processes whose program or arguments lie in the place, from /proc: no `ps` is needed.
ours() {
    local file line
    for file in /proc/[0-9]*/cmdline; do
        line=$({ tr '\0' ' ' <"$file"; } 2>/dev/null) || continue
        case $line in *"$place/home/.codex/"*"app-server"*) echo "${file#/proc/}: $line" ;; esac
    done
}

cd "$place/app"
call new 'a codex with a daemon' --agent shell --no-prompt -- env NO_KEY=none CODEX_HOME="$place/home/.codex" codex >/dev/null 2>&1
SECONDS=0
until [ "$(ours | wc -l)" -ge 2 ]; do
    [ "$SECONDS" -lt "$LIMIT" ] || { echo "slow-codex-tree: Codex started no daemon within $LIMIT s" >&2; exit 1; }
    sleep 0.2
done
echo "slow-codex-tree: $(ours | wc -l) processes of its daemon run; $(call status app-1 | grep uses || true)"
call stop app-1 >/dev/null 2>&1
if [ -n "$(ours)" ]; then
    echo "slow-codex-tree: left after the stop:" >&2
    ours >&2
    exit 1
fi
echo "slow-codex-tree: passed: nothing of it is left"
