#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every libFuzzer target of a build directory for a while, as many at a time as there are
# cores, starting from the checked-in corpora, which it does not change. Inputs that broke
# something are printed and kept.
#
# With FUZZ_RUNS the number of inputs and the seed are fixed, so that two runs do the same.
#
# usage: fuzz-run.sh BUILD_DIR [NAME...]
# environment: FUZZ_SECONDS (10), FUZZ_RUNS, FUZZ_KEEP (a folder)
set -euo pipefail

build=$(cd "${1:?usage: fuzz-run.sh BUILD_DIR [NAME...]}" && pwd)
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
limits=("-max_total_time=${FUZZ_SECONDS:-10}")
[ -z "${FUZZ_RUNS:-}" ] || limits=("-runs=$FUZZ_RUNS" -seed=1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
keep=${FUZZ_KEEP:-$build/fuzz-findings}
mkdir -p "$keep"

names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
    for target in "$build"/fuzz/fuzz-*; do
        [ ! -f "$target" ] || [ ! -x "$target" ] || names+=("${target##*/fuzz-}")
    done
fi
[ "${#names[@]}" -gt 0 ] || { echo "no fuzz target in $build" && exit 1; }

run_one() {
    local name=$1 dict=() work=$scratch/$1
    mkdir -p "$work"
    [ ! -e "$root/fuzz/dict/$name.dict" ] || dict=("-dict=$root/fuzz/dict/$name.dict")
    read -ra how <<<"$limits_text"
    if "$build/fuzz/fuzz-$name" "${how[@]}" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 "${dict[@]}" -artifact_prefix="$keep/$name-" "$work" \
        "$root/fuzz/corpus/$name" >"$work.log" 2>&1; then
        sed -n "s/^stat::number_of_executed_units: */ok $name: runs /p" "$work.log"
    else
        echo "FAILED $name; inputs are in $keep"
        tail -n 40 "$work.log"
        return 1
    fi
}
export -f run_one
limits_text=${limits[*]} # arrays are not exported
export build root limits_text scratch keep

printf '%s\0' "${names[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'run_one "$1"' bash
