#!/usr/bin/env bash
# Runtime tmux: the contract, a fix run whose daemon is killed in the middle, reboots without a second writer (installs tmux).
set -euo pipefail

# How long anything may take that normally takes seconds.
readonly LIMIT=240

readonly test=test-tmux
. "$(dirname "$0")/tmux/world.sh"
sources=$PWD
log=$place/contract.log
socket=$AO_HOME/run/tmux.sock

clean_up() {
    "$ao" stop --all >/dev/null 2>&1 || true
    "$ao" daemon stop >/dev/null 2>&1 || true
    tmux -S "$socket" kill-server >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap clean_up EXIT

echo "test-tmux: the runtime contract"
timeout -k 30 "$((LIMIT * 4))" cargo test --quiet -p ao --test runtime -- --include-ignored tmux:: | tee "$log"
# Tests that were renamed would pass without having run.
grep -Eq 'ok\. [1-9][0-9]+ passed' "$log"

echo "test-tmux: eight failing tests, mended by scripted agents in tmux sessions"
mkdir "$place/shop"
cp -R crates/ao/fixtures/demo/src crates/ao/fixtures/demo/tests crates/ao/fixtures/demo/README.md "$place/shop"
for name in Cargo.toml Cargo.lock; do cp "crates/ao/fixtures/demo/$name.txt" "$place/shop/$name"; done
cp crates/ao/fixtures/demo/gitignore.txt "$place/shop/.gitignore"
cd "$place/shop"
# A key of the person who starts it: agents have it, and tmux must not.
export AO_TEST_API_KEY=ao-secret-of-the-test
cat >agent-orchestrator.yaml <<CONFIG
projects:
  shop:
    path: .
    runtime: tmux
CONFIG
repository 'A shop with eight faults'

"$ao" fix --agent scripted --check 'cargo test --offline' --parallel 3 --keep \
    -- --script "$sources/crates/ao/fixtures/demo/script.json" --log "$place/prompts.jsonl" \
    >"$place/fix.out" 2>&1 &
fix=$!

sessions() { tmux -S "$socket" list-sessions -F '#{session_name}'; }
two_prompts() { [ "$(wc -l <"$place/prompts.jsonl")" -ge 2 ]; }
until_true "sessions in tmux" sessions
until_true "prompts typed through tmux" two_prompts

# The daemon is killed while agents work; the verb that follows the run starts the next one, which finds them again.
kill -9 "$(daemon)"
sessions | grep -q '^ao-' || fail "the sessions died with the daemon"

# Two people attach on terminals of different sizes: one by the command that is shown, one by `ao attach`.
name=$(sessions | head -n 1)
session=${name#ao-*-}
by_hand() { "$ao" status "$session" | sed -n 's/^  by hand *//p' | grep .; }
until_true "the command to attach by hand" by_hand
tmux -L "ao-test-$$" -f /dev/null new-session -d -x 100 -y 30 "env -u TMUX $(by_hand)"
tmux -L "ao-test-$$" new-session -d -x 140 -y 50 "env AO_HOME=$AO_HOME $ao attach $session"
two_clients() { [ "$(tmux -S "$socket" list-clients -t "=$name" -F '#{client_control_mode}' | grep -c '^0')" -eq 2 ]; }
until_true "two attached clients" two_clients
tmux -L "ao-test-$$" kill-server

# Neither the server nor the command lines show the environment of the agents.
server=$(tmux -S "$socket" display-message -p '#{pid}')
if tmux -S "$socket" show-environment -g | grep -q ao-secret || grep -qa ao-secret "/proc/$server/environ" "/proc/$server/cmdline"; then
    fail "tmux has the agents' secrets"
fi

end=$((SECONDS + LIMIT * 4))
while kill -0 "$fix" 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || fail "the run does not end: $(tail -n 5 "$place/fix.out")"
    sleep 0.2
done
wait "$fix" || fail "the run failed: $(tail -n 20 "$place/fix.out")"
git clone --quiet --branch main . "$place/clone"
(cd "$place/clone" && cargo test --quiet --offline >/dev/null 2>&1) || fail "main is not green in a fresh clone"

# Every prompt was read once: lines of the log differ.
[ -z "$(sort "$place/prompts.jsonl" | uniq -d)" ] || fail "a prompt was typed twice"

"$ao" stop --all >/dev/null
no_server() { ! tmux -S "$socket" list-sessions 2>/dev/null; }
until_true "the end of the tmux server" no_server

echo "test-tmux: reboots"
cd "$place"
"$ao" daemon stop >/dev/null
. "$sources/scripts/tmux/reboots.sh"
echo "test-tmux: passed"
