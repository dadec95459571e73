#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The measurements themselves: that apps come out the same every time, and that one short run on the
# smallest app reaches its end and says something of each part. No figure is judged.
#
# usage: test-bench.sh OCI_WASM OCI_WASM_EXTRACT BENCH_RUN BENCH_BOUND
source "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
mapfile -t programs < <(realpath -e "$@")
cli_init "${programs[0]}"
here=$root/tests/bench

stamps() { (cd "$1" && find . -printf '%T@ %p\n' | LC_ALL=C sort); }

runs "an app is made" python3 -B "$here/app.py" S first
runs "and made again" python3 -B "$here/app.py" S second
same "byte for byte" "$(tree_digest first)" "$(tree_digest second)"
same "with the same times" "$(stamps first)" "$(stamps second)"
runs "another seed" python3 -B "$here/app.py" --seed 2 S third
holds "gives another app" test "$(tree_digest first)" != "$(tree_digest third)"
runs "our packer takes it" oci-wasm pack -q -f first -o oci:packed:v1

mkdir work
mv first work/S
export BENCH_DIR=$work/work BENCH_APPS=S BENCH_ROUNDS=1
runs "all parts run" python3 -B "$here/bench.py" "${programs[@]}"
# shellcheck disable=SC2016
for what in '| two-core bound |' '| unpack S (' '| cache hit, S |' '| S, `spin`, ' \
    '| unpack S: peak memory |' '| goal |'; do
    holds "and the output has $what" grep -qF "$what" <<<"$out"
done
holds "nothing of it is left" test ! -e work/out
BENCH_PARTS=nothing fails 1 "a part that is none is refused" python3 -B "$here/bench.py" "${programs[@]}"
runs "the timer passes a status on" "${programs[2]}" figures true
fails 3 "other than 0 too" "${programs[2]}" figures sh -c 'echo no >&2; exit 3'
holds "and writes four numbers" grep -Eqx '[0-9]+ [0-9]+ [0-9]+ [0-9]+' figures
cli_finish
