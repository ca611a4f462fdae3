#!/usr/bin/env bash
# Makes the file tree of an image from this machine's programs: `image.sh DIRECTORY BINARY…`; libraries of BINARY come along.
set -euo pipefail

root=$1
shift
programs=(sh env cat head tail tr tee sleep stty setsid mv cp rm mkdir ls ln pwd date seq printf id grep sed xargs find
    mktemp touch true false chmod dirname basename wc sort uniq git)

mkdir -p "$root"/{bin,usr/bin,tmp,etc,root,dev,proc,sys,run}
chmod 1777 "$root/tmp"

# A file at the place where it is here, with everything that it is linked to.
bring() {
    local file
    for file in "$1" $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || true); do
        [ -e "$root$file" ] && continue
        mkdir -p "$root$(dirname "$file")"
        cp -L "$file" "$root$file"
    done
}

for program in "${programs[@]}"; do
    path=$(type -P "$program")
    bring "$path"
    [ -e "$root/bin/$program" ] || ln "$root$path" "$root/bin/$program"
done
core=$(git --exec-path)
mkdir -p "$root$core"
for program in git git-sh-setup git-remote-http; do [ -e "$core/$program" ] && bring "$core/$program"; done
for binary in "$@"; do
    # Its libraries alone: the binary itself is mounted.
    for library in $(ldd "$binary" 2>/dev/null | grep -o '/[^ ]*' || true); do bring "$library"; done
done
