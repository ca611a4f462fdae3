#!/usr/bin/env bash
# What test-docker tells from end to end: $AO is the binary, $PLACE an empty directory's parent, $DOCKER_HOST the engine.
set -euo pipefail

fail() {
    echo "test-docker: $1" >&2
    for log in "$PLACE"/*.said; do [ -s "$log" ] && { echo "--- $log" >&2; tail -n 30 "$log" >&2; }; done
    exit 1
}

# Waits until a command succeeds.
until_true() {
    local what=$1
    shift
    for _ in $(seq 600); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "$what did not happen within a minute"
}

# Sockets have short paths.
home=$(mktemp -d /tmp/aod.XXXXXX)
user=$PLACE/user
mkdir -p "$user" "$PLACE/outside"
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export AO_HOME=$home HOME=$user GIT_CONFIG_NOSYSTEM=1
git config --global user.name story
git config --global user.email story@localhost
cleanup() {
    "$AO" stop --all >/dev/null 2>&1 || true
    "$AO" daemon stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap cleanup EXIT

daemon() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$home/daemon.json"; }
kill_daemon() {
    local pid
    pid=$(daemon)
    kill -9 "$pid"
    until_true "the daemon's death" sh -c "! kill -0 $pid"
}
containers() { docker ps -aq | wc -l; }
# Starts a session of a plain command and gives its id: AGENT TASK COMMAND…
begin() {
    local agent=$1 task=$2
    shift 2
    "$AO" --json new "$task" --agent "$agent" --no-prompt -- "$@" | grep -o '"id": *"shop-[0-9]*"' | head -n 1 | grep -o 'shop-[0-9]*'
}

# The demo's shop with its eight faults, its sessions in containers.
shop=$PLACE/shop
cp -r crates/ao/fixtures/demo "$shop"
(
    cd "$shop"
    mv gitignore.txt .gitignore
    mv Cargo.lock.txt Cargo.lock
    mv Cargo.toml.txt Cargo.toml
    mv script.json "$PLACE/outside/script.json"
    cat >agent-orchestrator.yaml <<YAML
projects:
  shop:
    path: .
    runtime: docker
    docker: {image: 'ao-test:1', network: none, mounts: ['$PLACE/outside:$PLACE/outside']}
    limits: {memory: 512M, processes: 200, cpu: 200}
YAML
    git init -q --initial-branch=main && git add -A && git commit -qm "A shop with eight faults"
)
# An agent whose hook has a meaning.
mkdir -p "$home/agents"
cat >"$home/agents/asker.toml" <<'TOML'
extends = "shell"
name = "asker"
aliases = []

[hook_events]
"PermissionRequest" = { activity = "needs_input", what = "permission" }
TOML
cd "$shop"
"$AO" trust --yes agent-orchestrator.yaml >/dev/null

echo "test-docker: ao fix with every agent in a container, the daemon killed twice"
"$AO" fix --check 'cargo test --offline' --agent scripted --parallel 3 -- \
    --script "$PLACE/outside/script.json" --log "$PLACE/outside/prompts.jsonl" >"$PLACE/fix.said" 2>&1 &
run=$!
most=0
for kill_at in 1 2; do
    for _ in $(seq 600); do
        now=$(docker ps -q | wc -l)
        [ "$now" -gt "$most" ] && most=$now
        [ "$now" -ge 2 ] && break
        kill -0 $run 2>/dev/null || break
        sleep 0.1
    done
    [ "$now" -ge 2 ] || fail "no two sessions ran in parallel before kill $kill_at"
    kill_daemon
    # Whatever asks next brings it back; the run itself does, too.
    "$AO" list >/dev/null 2>&1 || true
    sleep 3
done
wait $run || fail "the run did not end green"
grep -q 'main is green at' "$PLACE/fix.said" || fail "the run does not say that main is green"
cargo test --offline --quiet >"$PLACE/check.said" 2>&1 || fail "the shop is red after the run"
until_true "the end of every container" sh -c '[ "$(docker ps -aq | wc -l)" -eq 0 ]'
echo "test-docker: green; up to $most containers at once, none left"

echo "test-docker: a host that is killed"
id=$(begin shell 'keep on' sh -c 'echo begun; while printf "$ "; read -r line; do echo "$line" >"$HOME/word"; echo "got $line"; done')
until_true "its first words" sh -c "'$AO' logs $id | grep -q begun"
[ "$(docker ps -q | wc -l)" -eq 1 ] || fail "the session has no container"
host=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$home"/*/sessions/"$id".d/1/host.json | head -n 1)
kill -9 "$host"
"$AO" send "$id" hello >"$PLACE/send.said" 2>&1 || true
until_true "the answer through a new host" sh -c "'$AO' logs $id | grep -q 'got hello'"
"$AO" logs "$id" | grep -q begun || fail "what the first host had written is gone"
[ -f "$home"/*/sessions/"$id".d/home/word ] || fail "the agent's home is not the session's own"
"$AO" stop "$id" >/dev/null
[ "$(containers)" -eq 0 ] || fail "a stopped session has a container"

echo "test-docker: a hook that is called without any network"
id=$(begin asker 'ask' sh -c 'echo "{}" | ao hook asker PermissionRequest; echo asked; exec sleep 1000')
until_true "what the hook told" sh -c "'$AO' explain $id >'$PLACE/explain.said'; grep -q 'hook PermissionRequest' '$PLACE/explain.said'"
"$AO" stop "$id" >/dev/null

echo "test-docker: a container that runs out of memory"
id=$(begin shell 'too much' sh -c 'echo begun; sleep 1; head -c 2000000000 /dev/zero | tail -n 1; exit $?')
until_true "its end" sh -c "'$AO' --json status $id | grep -q '\"ended\": *true'"
"$AO" status "$id" >"$PLACE/oom.said" 2>&1
grep -q 'ran out of memory (limits.memory is 512M)' "$PLACE/oom.said" || fail "the want of memory is not told"

echo "test-docker: an image that is not there, and an engine that is not there"
sed -i "s/ao-test:1/ao-no-such:1/" agent-orchestrator.yaml
"$AO" trust --yes agent-orchestrator.yaml >/dev/null
"$AO" new 'nowhere' --agent shell --no-prompt -- sh >"$PLACE/image.said" 2>&1 && fail "a session began without an image"
grep -q 'docker pull ao-no-such:1' "$PLACE/image.said" || fail "nobody says how to get the image"

"$AO" daemon stop >/dev/null
DOCKER_HOST=unix:///nowhere/docker.sock "$AO" new 'nowhere' --agent shell --no-prompt -- sh >"$PLACE/engine.said" 2>&1 &&
    fail "a session began without an engine"
grep -q 'no Docker engine answers on /nowhere/docker.sock' "$PLACE/engine.said" || fail "nobody says which engine is missing"
"$AO" daemon stop >/dev/null

"$AO" stop --all >/dev/null 2>&1 || true
[ "$(containers)" -eq 0 ] || fail "containers are left: $(docker ps -a)"
"$AO" doctor >"$PLACE/doctor.said" 2>&1 || true
grep -q 'docker rm -f' "$PLACE/doctor.said" && fail "doctor found a container that should not be"
echo "test-docker: passed"
