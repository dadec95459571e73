#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fails each system call of extraction and of the cache once, at each place, with several errors
# (strace injects them). Whatever the call and the place: the destination is absent or whole, and the
# next run succeeds and leaves nothing beside it.
#
# usage: test-extract-syscalls.sh OCI_WASM_EXTRACT       environment: FAULT_PLACES, 6 by default
tool=$(realpath -e "$1") || exit 1
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$tool"
places=${FAULT_PLACES:-6}
strace -f -e inject=getppid:error=EIO -o /dev/null true 2>/dev/null || {
    skips "system calls that fail" "strace cannot inject here"
    cli_finish
}
image=oci:$root/testdata/golden/shim/two:archive
runs "the image extracts" "$tool" "$image" whole --file-url-root=/x
want=$(tree_digest whole)
runs "and is cached" "$tool" --cache cache0 "$image" --file-url-root=/x
cached=$(tree_digest "$out")
chmod -R u+rwx cache0
rm -rf cache0

calls=(openat openat2 mkdirat write close fchmod utimensat renameat syncfs fsync getdents64 newfstatat
    flock read fcntl statfs pwrite64 fstat lseek ioctl clone3)
errors=(EIO ENOSPC EMFILE EINTR)
mkdir run
cd run || exit 1
for call in "${calls[@]}"; do
    total=0 bad='' succeeded=0
    for error in "${errors[@]}"; do
        for ((place = 1; place <= places; place++)); do
            # Near the start, and spread over the rest of the run.
            when=$((place <= places / 2 ? place : place * place))
            total=$((total + 1))
            timeout 20 strace -f -o /dev/null -e "inject=$call:error=$error:when=$when" \
                "$tool" "$image" out --file-url-root=/x >/dev/null 2>&1
            status=$?
            if [ "$status" -eq 0 ]; then
                succeeded=$((succeeded + 1))
                [ "$(tree_digest out)" = "$want" ] || bad+=" $error@$when:other-tree"
            elif [ "$status" -ge 124 ]; then
                # Loading the program itself may fail; dying later may not.
                [ "$status" -eq 127 ] || bad+=" $error@$when:status-$status"
            elif [ -e out ]; then
                bad+=" $error@$when:half-made"
            fi
            rm -rf out
        done
    done
    "$tool" "$image" out --file-url-root=/x >/dev/null 2>&1 || bad+=" next-run"
    [ "$(ls -A)" = out ] || bad+=" left:$(find . -mindepth 1 -maxdepth 1 -printf "%P ")"
    rm -rf out
    same "$call fails: all or nothing ($total runs, $succeeded went through)" "" "$bad"
done
cd ..

for call in openat mkdirat write renameat fsync flock newfstatat; do
    bad=''
    for ((place = 1; place <= places; place++)); do
        timeout 20 strace -f -o /dev/null -e "inject=$call:error=EIO:when=$((place * place))" \
            "$tool" --cache cache "$image" --file-url-root=/x >/dev/null 2>&1
        cli_run "$tool" --check --cache cache "$image" --file-url-root=/x || bad+=" $place:$err"
        [ "$(tree_digest "$out")" = "$cached" ] || bad+=" $place:other-tree"
        [ "$(find cache -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ] || bad+=" $place:left"
        chmod -R u+rwx cache
        rm -rf cache
    done
    same "$call fails in the cache: the next run has the whole tree" "" "$bad"
done
cli_finish
