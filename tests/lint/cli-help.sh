#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Help of the tool: on stdout, nothing on stderr, under 80 columns, for every command; wrong usage
# goes to stderr and ends with 2. Every option is in the man page of its command (shared ones in
# the main page), and every option in a man page exists.
#
# usage: cli-help.sh OCI_WASM MAN_DIR
set -euo pipefail

tool=$1
man=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
say() {
    echo "$*"
    status=1
}

# help NAME...: into $scratch/help, checked.
help() {
    "$tool" help "$@" >"$scratch/help" 2>"$scratch/err" || say "help $*: exit status $?"
    [ ! -s "$scratch/err" ] || say "help $*: prints to stderr: $(head -n 1 "$scratch/err")"
    [ -s "$scratch/help" ] || say "help $*: prints nothing"
    awk -v name="$*" 'length($0) > 79 { print "help " name ": over 79 columns: " $0; bad = 1 } END { exit bad }' \
        "$scratch/help" || status=1
}

# Lines such as "  -o, --output TARGET": the names of the options, one a line.
options_in_help() {
    sed -nE 's/^ +(-[a-zA-Z0-9], )?--([a-z0-9-]+)( .*)?$/\2/p' "$1" | LC_ALL=C sort -u
}

# Lines such as "*-o*, *--output* _TARGET_".
options_in_man() {
    sed -nE 's/^(\*-[a-zA-Z0-9]\*, )?\*--([a-z0-9-]+)\*.*/\2/p' "$1" | LC_ALL=C sort -u
}

help
grep -E '^  [a-z]' "$scratch/help" | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p' >"$scratch/commands"
[ -s "$scratch/commands" ] || say "no commands in the help"

main=$man/oci-wasm.1.scd
[ -e "$main" ] || say "$main is missing"
options_in_man "$main" >"$scratch/main"
: >"$scratch/used"
while read -r -a command; do
    name=${command[*]}
    help "${command[@]}"
    cp "$scratch/help" "$scratch/by-word"
    "$tool" "${command[@]}" --help >"$scratch/help" 2>&1 || say "$name --help: exit status $?"
    cmp -s "$scratch/help" "$scratch/by-word" || say "$name --help and help $name differ"
    grep -q "^usage: oci-wasm $name" "$scratch/help" || say "$name: no usage line"
    options_in_help "$scratch/help" >"$scratch/options"

    page=$man/oci-wasm-${command[0]}.1.scd
    : >"$scratch/page"
    if [ -e "$page" ]; then
        options_in_man "$page" >"$scratch/page"
    else
        grep -q "^\*$name\*" "$main" || say "$name: no page of its own, and not in $main"
    fi
    LC_ALL=C sort -u "$scratch/page" "$scratch/main" | LC_ALL=C comm -23 "$scratch/options" - |
        sed "s|^|$name: not in the man page: --|" | grep . && status=1
    cat "$scratch/options" >>"$scratch/used"
    cat "$scratch/options" >>"$scratch/used-${command[0]}"

    code=0
    "$tool" "${command[@]}" --no-such-option >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
    [ "$code" -eq 2 ] || say "$name --no-such-option: exit status $code, not 2"
    { [ ! -s "$scratch/out" ] && [ -s "$scratch/err" ]; } || say "$name: usage errors go to stderr alone"
done <"$scratch/commands"
LC_ALL=C sort -u "$scratch/used" | LC_ALL=C comm -13 - "$scratch/main" | sed "s|^|in $main, not in the tool: --|" | grep . && status=1

for page in "$man"/oci-wasm-*.1.scd; do
    [ -e "$page" ] || continue
    name=$(basename "$page" .1.scd)
    name=${name#oci-wasm-}
    grep -qE "^$name( |$)" "$scratch/commands" || {
        say "$page: no such command"
        continue
    }
    # A page may cover a family, such as "blob get" and "blob put".
    options_in_man "$page" | LC_ALL=C comm -13 <(LC_ALL=C sort -u "$scratch/used-$name") - |
        sed "s|^|in $page, not in the tool: --|" | grep . && status=1
done
code=0
"$tool" no-such-command >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
[ "$code" -eq 2 ] || say "an unknown command: exit status $code, not 2"
exit "$status"
