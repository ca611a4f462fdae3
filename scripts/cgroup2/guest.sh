#!/bin/sh
# Inside the machine of scripts/test-cgroup2.sh: the tree and limits suite in each way of being given control groups.
#
# guest.sh AO TESTS: /sys/fs/cgroup is a cgroup2 mount with every controller, and this process is in its root.
set -eu

ao=$1 tests=$2
groups=/sys/fs/cgroup
export HOME=/tmp/user AO_HOME=/tmp/h GIT_CONFIG_NOSYSTEM=1 AO_PLACES=20 LANG=C.UTF-8
mkdir -p "$HOME" /tmp/app

say() { echo "test-cgroup2: $*"; }
hand_down() { echo '+cpu +memory +pids' >"$1/cgroup.subtree_control"; }
enter() { echo $$ >"$1/cgroup.procs"; }

# Those that look at control groups; every limit must be kept when $1 is `kept`.
suite() {
    AO_TEST_LIMITS=$1 "$tests" --test-threads 2 tree:: stop:: \
        end::the_program_is_in_its_control_group end::processes_that_outlive discover::what_a_killed_host || exit 1
}

say "controllers: $(cat $groups/cgroup.controllers)"
hand_down $groups
say "in the root group"
suite kept

say "in a leaf, the controllers handed down to beside it, as a service manager does"
mkdir -p $groups/slice/app/leaf
hand_down $groups/slice
hand_down $groups/slice/app
enter $groups/slice/app/leaf
suite kept

say "a session with all three limits, from outside"
cd /tmp/app
git init -q --initial-branch=main
git -c user.name=a -c user.email=a@localhost commit -q --allow-empty -m First
printf 'projects: {app: {path: ., limits: {processes: 64, memory: 256M, cpu: 20}}}\n' >agent-orchestrator.yaml
"$ao" doctor | grep -i 'limit\|control group' || true
"$ao" start --yes >/dev/null
"$ao" new work --agent shell --no-prompt -- sh -c 'while :; do :; done' >/dev/null
record=$(echo $AO_HOME/*/sessions/app-1.d/1/host.json)
group=$(sed -n 's/.*"cgroup": *"\([^"]*\)".*/\1/p' "$record")
[ "$(cat "$group/memory.max")" = 268435456 ] || { say "memory.max is $(cat "$group/memory.max")"; exit 1; }
[ "$(cat "$group/pids.max")" -ge 64 ] || { say "pids.max is $(cat "$group/pids.max")"; exit 1; }
cpu=$(cat "$group/cpu.max")
say "cpu.max is $cpu"
tries=0
until grep -q '^nr_throttled [1-9]' "$group/cpu.stat"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { say "it was never throttled: $(cat "$group/cpu.stat")"; exit 1; }
    sleep 0.1
done
used=$("$ao" --json status app-1)
for word in cpuMs memoryBytes '"memoryLimitBytes": 268435456' '"processesLimit": 64'; do
    case "$used" in *"$word"*) ;; *) say "status has no $word: $used"; exit 1 ;; esac
done
"$ao" status app-1 | grep '^ *uses '
"$ao" stop --all >/dev/null
[ ! -d "$group" ] || { say "its group is left: $group"; exit 1; }
"$ao" daemon stop >/dev/null

say "as a user whose groups nobody delegated: refused with the limit's name and the reason"
mkdir -p $groups/other/leaf
enter $groups/other/leaf
mkdir -p /tmp/none && chmod 777 /tmp/none
AO_TEST_LIMITS=refused setpriv --reuid 65534 --regid 65534 --clear-groups "$tests" --test-threads 1 tree::the_limits || exit 1

say "as a user whose group was delegated, as systemd does with user@.service"
mkdir -p $groups/user/leaf
hand_down $groups/user
chown -R 65534 $groups/user
enter $groups/user/leaf
AO_TEST_LIMITS=kept setpriv --reuid 65534 --regid 65534 --clear-groups "$tests" --test-threads 2 tree:: || exit 1
say "passed"
