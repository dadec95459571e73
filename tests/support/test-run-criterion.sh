#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The runner itself: a clean program passes, one that leaks in a worker does not, a failing one
# keeps its exit status. With a plain build the leak is seen by valgrind (OCIW_VALGRIND is set).
#
# usage: test-run-criterion.sh PASSING LEAKING
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

expect() {
    local what=$1 want=$2 status=0
    shift 2
    "$here/run-criterion.sh" "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -ne 0 ] && status=1
    if [ "$status" -ne "$want" ]; then
        echo "$what: exit $status, expected $want"
        cat "$scratch/out" "$scratch/err"
        exit 1
    fi
}

expect "a clean program" 0 "$1"
grep -q '^ok - self::passes' "$scratch/out" || { cat "$scratch/out" && exit 1; }
expect "a leak" 1 "$2"
grep -q '^ok - self::leaks' "$scratch/out" || { cat "$scratch/out" && exit 1; }
grep -q '^Bail out!' "$scratch/out" || { cat "$scratch/out" && exit 1; }
expect "a program that is not there" 1 "$scratch/nothing"
