#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Completion scripts: bash offers each command and each option that its help names; the scripts of all
# shells parse where the shell is there.
#
# usage: test-completion.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"

runs "a script for bash" oci-wasm completion bash
printf '%s\n' "$out" >bash.sh
holds "parses" bash -n bash.sh
# shellcheck source=/dev/null
source bash.sh
# offers WORD...: what is offered after these words, for the last of them, one a line.
offers() {
    COMP_WORDS=(oci-wasm "$@") COMP_CWORD=$# COMPREPLY=()
    _oci_wasm
    printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort -u
}

oci-wasm help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p' >commands
same "every command is offered" "$(cut -d' ' -f1 commands | LC_ALL=C sort -u)" "$(offers '')"
while read -r -a command; do
    wanted=$(oci-wasm help "${command[@]}" | sed -nE 's/^ +(-[a-zA-Z0-9], )?(--[a-z0-9-]+)( .*)?$/\2/p' | LC_ALL=C sort -u)
    same "every option of ${command[*]} is offered" "$wanted" "$(offers "${command[@]}" --)"
    [ "${#command[@]}" -eq 1 ] ||
        holds "and ${command[*]} as a pair" grep -qx "${command[1]}" <(offers "${command[0]}" '')
done <commands

runs "a script for zsh" oci-wasm completion zsh
printf '%s\n' "$out" >zsh.sh
runs "a script for fish" oci-wasm completion fish
printf '%s\n' "$out" >fish.sh
for shell in zsh fish; do
    if command -v "$shell" >/dev/null; then
        holds "$shell parses its script" "$shell" -n "$shell.sh"
    else
        holds "the script of $shell names every command" test -z "$(cut -d' ' -f1 commands | while read -r name; do
            grep -qw -- "$name" "$shell.sh" || echo "$name"
        done)"
    fi
done
fails 2 "other shells are not known" oci-wasm completion tcsh

cli_finish
