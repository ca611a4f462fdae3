# shellcheck shell=bash
# Sourced by test-tmux: a machine goes down with its tmux server, and comes up with a new boot id. A session goes on with its own
# conversation by the agent's own means, and where its agent may live on against all facts no second one joins it.

mkdir "$place/app" "$AO_HOME/agents"
keeps=$place/conversation
# An agent that keeps its conversation in a file: it notes there how it was started, and whether another one still writes.
cat >"$place/keeper" <<KEEPER
#!/bin/sh
# One that is dead and not yet collected writes nothing.
if [ -e "$keeps.writer" ] && grep -qsv ') Z ' "/proc/\$(cat "$keeps.writer")/stat"; then echo "two writers" >>"$keeps"; fi
echo \$\$ >"$keeps.writer"
echo "\$1" >>"$keeps"
shift
exec "$ao" "\$@"
KEEPER
chmod 755 "$place/keeper"
cat >"$AO_HOME/agents/keeper.toml" <<ADAPTER
extends = "scripted"
name = "keeper"
aliases = []
program = "$place/keeper"
start_args = ["begin"]
resume_args = ["resume"]
transcript = ["$keeps"]
ADAPTER
echo '{"default": {"say": "I have read it"}}' >"$place/script.json"
cd "$place/app"
printf 'projects:\n  app:\n    path: .\n    runtime: tmux\n' >agent-orchestrator.yaml
repository First

# Starts a daemon in the boot of this name.
boot() { AO_TEST_BOOT_ID=$1 "$ao" daemon start >/dev/null || fail "no daemon in $1"; }

agents() { tmux -S "$socket" list-panes -a -F '#{pane_pid}'; }
conversation() { tr '\n' ' ' <"$keeps"; }
stands() { "$ao" --json status app-1 | sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1; }
# A process is dead, and not yet collected at most, when its other threads are: until then its sockets take calls.
is_gone() { ! kill -0 "$1" 2>/dev/null || { grep -q ') Z ' "/proc/$1/stat" && [ "$(ls "/proc/$1/task" | wc -l)" -le 1 ]; }; }
# Ends the daemon and these processes at once.
cut() {
    local all=("$(daemon)" "$@") pid
    kill -9 "${all[@]}"
    for pid in "${all[@]}"; do until_true "the end of $pid" is_gone "$pid"; done
}

boot first
"$ao" new "keep a conversation" --agent keeper --no-prompt -- --script "$place/script.json" --log "$place/keeper.jsonl" >/dev/null
"$ao" wait app-1 --for idle --timeout "$LIMIT"s >/dev/null || fail "the session is not at its prompt"
"$ao" send app-1 --wait --timeout "$LIMIT"s "before the reboot" >/dev/null || fail "the prompt did not arrive"

# Power goes: daemon, server and agent at once.
server=$(tmux -S "$socket" display-message -p '#{pid}')
agent=$(agents)
cut "$server" "$agent"
boot second
"$ao" wait app-1 --for idle --timeout "$LIMIT"s >/dev/null || fail "the session did not come back"
[ "$(conversation)" = "begin resume " ] || fail "its conversation is: $(conversation)"
"$ao" status app-1 | grep -q '^  by hand .*tmux' || fail "it does not run in tmux any more"
"$ao" send app-1 --wait --timeout "$LIMIT"s "after the reboot" >/dev/null || fail "no prompt arrives after the reboot"
[ "$(wc -l <"$place/keeper.jsonl")" -eq 2 ] || fail "prompts: $(cat "$place/keeper.jsonl")"

# The boot id changes and the agent lives all the same (a machine's clone, a container of another host): one writer stays one.
agent=$(agents)
cut
boot third
is_refused() { [ "$(stands status)" = spawn_failed ]; }
until_true "a second agent is refused" is_refused
"$ao" status app-1 | grep -q 'two agents never work in one workspace' || fail "it does not say why"
[ "$(agents)" = "$agent" ] || fail "other agents run: $(agents)"
[ "$(conversation)" = "begin resume " ] || fail "its conversation is: $(conversation)"
# A server of another boot is not reminded of children that ended, so the old boot comes back for the rest.
cut
boot second
"$ao" stop app-1 >/dev/null || fail "what still runs cannot be stopped"
until_true "its end" is_gone "$agent"
until_true "its restore" "$ao" restore app-1
"$ao" wait app-1 --for idle --timeout "$LIMIT"s >/dev/null || fail "it was not restored"
[ "$(conversation)" = "begin resume resume " ] || fail "its conversation is: $(conversation)"
cd "$place"
