#!/usr/bin/env bash
# Makes sure that programs are there: `scripts/need.sh node npm chromium`. Installs what is missing with apt and says so.
# Where that cannot be done it says what to install, and fails: a test that needs more is never silently skipped.
set -euo pipefail

package_of() {
    case "$1" in
    node) echo nodejs ;;
    qemu) echo qemu-system-x86 ;;
    fusepy) echo "fuse3 libfuse2 python3-fusepy" ;;
    python3) echo "python3 python3-venv python3-pip" ;;
    *) echo "$1" ;;
    esac
}

missing=()
for program in "$@"; do
    # A library of the system's own python, not a program.
    if [ "$program" = fusepy ] && /usr/bin/python3 -c 'import fusepy' >/dev/null 2>&1; then continue; fi
    [ "$program" = qemu ] && command -v qemu-system-x86_64 >/dev/null 2>&1 && continue
    command -v "$program" >/dev/null 2>&1 || missing+=("$program")
done
# Debian takes `venv` and `ensurepip` out of python3.
case " $* " in *" python3 "*)
    if command -v python3 >/dev/null 2>&1 && ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then missing+=(python3); fi
    ;;
esac
[ "${#missing[@]}" -eq 0 ] && exit 0

packages=()
for program in "${missing[@]}"; do
    read -ra names <<<"$(package_of "$program")"
    packages+=("${names[@]}")
done

if ! command -v apt-get >/dev/null 2>&1; then
    echo "need: missing ${missing[*]}; there is no apt-get here: install them by hand" >&2
    exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "need: missing ${missing[*]}; run: sudo apt-get install ${packages[*]}" >&2
        exit 1
    fi
    root=(sudo -n)
fi
echo "need: installing ${packages[*]} with apt-get"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
} >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "need: apt-get could not install ${packages[*]}" >&2
    exit 1
fi
