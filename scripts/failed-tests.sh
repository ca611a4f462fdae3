#!/usr/bin/env bash
# Reads what `cargo test --no-fail-fast` printed and names what failed: the arguments that rerun its target, a tab, the test.
#
#   scripts/failed-tests.sh LOG
#
# Fails when a target failed without naming a test: it did not compile, crashed, or was stopped. Tests that run cargo
# themselves print the same words, so it goes backwards: from cargo's list at the very end to the line of each target,
# from there to the names right above it.
set -euo pipefail

mapfile -t lines <"$1"

# The last "N target(s) failed:" and the list below it.
at=-1
for ((n = ${#lines[@]} - 1; n >= 0; n--)); do
    if [[ ${lines[n]} =~ ^error:\ [0-9]+\ targets?\ failed:$ ]]; then
        at=$n
        break
    fi
done
if [ "$at" -lt 0 ]; then
    echo "failed-tests: $1 has no list of failed targets" >&2
    exit 1
fi

end=$at
targets=()
for ((n = at + 1; n < ${#lines[@]}; n++)); do
    [[ ${lines[n]} =~ ^\ \ \ \ \`(.*)\`$ ]] || break
    targets+=("${BASH_REMATCH[1]}")
done

# From the last target to the first, so that each is looked for above the one after it.
found=()
for ((t = ${#targets[@]} - 1; t >= 0; t--)); do
    target=${targets[t]}
    for ((n = end - 1; n >= 0; n--)); do
        case "${lines[n]}" in "error: test failed, to rerun pass \`$target\`" | "error: doctest failed, to rerun pass \`$target\`") break ;; esac
    done
    end=$n
    # Between a program that ended by itself and this line stand its result and an empty line.
    names=()
    for ((n--; n >= 0 && n >= end - 2; n--)); do [ -z "${lines[n]}" ] || break; done
    if [ "$n" -ge 0 ] && [[ ${lines[n]} == "test result: FAILED."* ]]; then
        for ((n--; n >= 0; n--)); do
            if [[ ${lines[n]} =~ ^\ \ \ \ ([^\ ].*)$ ]]; then names+=("${BASH_REMATCH[1]}"); elif [ -n "${lines[n]}" ]; then break; fi
        done
        [ "$n" -ge 0 ] && [ "${lines[n]}" = "failures:" ] || names=()
    fi
    if [ "${#names[@]}" -eq 0 ]; then
        echo "failed-tests: \`cargo test $target\` failed and names no test" >&2
        exit 1
    fi
    for name in "${names[@]}"; do found+=("$target"$'\t'"$name"); done
done

for ((n = ${#found[@]} - 1; n >= 0; n--)); do echo "${found[n]}"; done
