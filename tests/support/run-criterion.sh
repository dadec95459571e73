#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs one Criterion test program and prints TAP on stdout. Criterion runs each test in a worker
# of its own and does not look at how the worker ended once the test was over: a leak that
# LeakSanitizer or valgrind reports then still counts as a pass. So reports go to a fresh folder,
# and the run fails when one appears there. Knows nothing about the tests themselves.
#
# usage: run-criterion.sh PROGRAM [CRITERION OPTION...]
# environment: OCIW_VALGRIND non-empty = run under valgrind
set -uo pipefail

program=${1:?usage: run-criterion.sh PROGRAM [CRITERION OPTION...]}
shift
reports=$(mktemp -d) || exit 1
trap 'rm -rf "$reports" "$reports.stderr" "$reports.tap"' EXIT

# Later settings win in these lists, so the caller's own options stay in force.
common=log_path=$reports/report:log_exe_name=0
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=1:strict_string_checks=1:$common
export UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:$common
export LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}$common
export TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}$common

wrapper=()
if [ -n "${OCIW_VALGRIND:-}" ]; then
    wrapper=(valgrind --quiet --trace-children=yes "--trace-children-skip=/usr/*,/bin/*"
        --leak-check=full "--show-leak-kinds=definite,indirect"
        "--errors-for-leak-kinds=definite,indirect" --error-exitcode=99
        --log-file="$reports/report.%p")
fi

# Criterion truncates the file it is told to write TAP to: always give it a pipe, and keep what
# the tests themselves print out of it. No --quiet: it would send the workers' stderr to
# /dev/null, and with gcc UBSan writes there whatever its log_path says.
{
    "${wrapper[@]}" "$program" --tap=/dev/fd/3 "$@" 3>&1 1>&2 | tee "$reports.tap"
    status=${PIPESTATUS[0]}
} 2> >(tee "$reports.stderr" >&2)
wait "$!" 2>/dev/null
grep -a 'runtime error:' "$reports.stderr" >"$reports/report.undefined"

# valgrind makes a log for each process, empty where there was nothing to say. Its own troubles are no
# report: "--PID-- WARNING: unhandled syscall", which openat2 is to version 3.19.
if [ -n "${OCIW_VALGRIND:-}" ]; then
    for report in "$reports"/*; do
        grep -aqvE '^(--[0-9]+-- .*)?$' "$report" || : >"$report"
    done
fi
found=0
for report in "$reports"/*; do
    [ -s "$report" ] || continue
    found=$((found + 1))
    [ "$found" -gt 5 ] || sed 's/^/# /' "$report" >&2
done
if [ "$found" -gt 0 ]; then
    echo "Bail out! $found report(s) of a sanitizer or valgrind"
    exit 1
fi
# A linker that dropped the section in which Criterion finds its tests leaves a program that
# passes with none.
if [ "$status" -eq 0 ] && ! grep -q '^ok' "$reports.tap"; then
    echo "Bail out! no test ran"
    exit 1
fi
exit "$status"
