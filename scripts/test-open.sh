#!/usr/bin/env bash
# `ao open` with the person's own tmux and with a command: windows that show sessions, found again the second time (installs tmux).
set -euo pipefail

# How long anything may take that normally takes seconds.
readonly LIMIT=120

readonly test=test-open
. "$(dirname "$0")/tmux/world.sh"
mkdir "$place/app"
socket=$place/person.sock

clean_up() {
    tmux -S "$socket" kill-server >/dev/null 2>&1 || true
    (cd "$place/app" && "$ao" stop --all && "$ao" daemon stop) >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap clean_up EXIT

trouble() { tmux -S "$socket" list-windows -a >&2 || true; }

windows() {
    tmux -S "$socket" list-windows -a -F '#{window_name}' | grep -c "^ao-" || true
}

shows() {
    tmux -S "$socket" capture-pane -p -t "=main:$1" | grep -q "$2"
}

cd "$place/app"
repository First
session() {
    "$ao" new "$1" --agent shell --no-prompt --json -- sh -c "echo here is $1; exec cat" | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -n 1
}
one=$(session first)
two=$(session second)
[ -n "$one" ] && [ -n "$two" ] || fail "no sessions"

# A person in tmux who calls ao there.
tmux -S "$socket" -f /dev/null new-session -d -s main -n shell -x 100 -y 30 sh
type_line() {
    tmux -S "$socket" send-keys -t '=main:shell' -l "$1; echo \$? >$place/done.new; mv $place/done.new $place/done"
    rm -f "$place/done"
    tmux -S "$socket" send-keys -t '=main:shell' Enter
    until_true "$1" test -e "$place/done"
    [ "$(cat "$place/done")" -eq 0 ] || fail "$1 ended with $(cat "$place/done")"
}
type_line "$ao open $one --with tmux"
until_true "a window shows $one" shows "ao-$one" "here is first"
[ "$(windows)" -eq 1 ] || fail "one session is one window"
type_line "$ao open $one --with tmux"
[ "$(windows)" -eq 1 ] || fail "a window was made twice"
type_line "$ao open app --with tmux"
until_true "a window shows $two" shows "ao-$two" "here is second"
[ "$(windows)" -eq 2 ] || fail "a project is a window for each session"
echo "test-open: tmux opens sessions and projects, and finds their windows again"

# What is typed into the window reaches the session.
tmux -S "$socket" send-keys -t "=main:ao-$two" "typed by a person" Enter
until_true "the session has what was typed" sh -c "'$ao' logs $two | grep -q 'typed by a person'"

# Any emulator: the command that attaches, in a terminal of its own.
printf 'terminal: {command: "tmux -S %s new-session -d -s emulator -- {attach}"}\n' "$socket" >agent-orchestrator.yaml
"$ao" trust --yes >/dev/null
"$ao" open "$one"
until_true "the emulator shows the session" sh -c "tmux -S '$socket' capture-pane -p -t '=emulator:' | grep -q 'here is first'"
echo "test-open: a command opens a session"
