#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests mirror the sources: liboci-wasm/X/y.c has tests/X/test-y.c, which the folder's meson.build
# names, and no test is left over from a source that is gone.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
say() {
    echo "$*"
    status=1
}

for source in liboci-wasm/*/*.c liboci-wasm/*/*.cc; do
    [ -e "$source" ] || continue
    layer=$(basename "$(dirname "$source")")
    name=$(basename "${source%.*}")
    test=tests/$layer/test-$name.c
    [ -e "$test" ] || say "$source has no $test"
done
for test in tests/*/test-*.c; do
    [ -e "$test" ] || continue
    layer=$(basename "$(dirname "$test")")
    name=$(basename "${test#tests/*/test-}" .c)
    [ -d "liboci-wasm/$layer" ] || continue
    [ -e "liboci-wasm/$layer/$name.c" ] || [ -e "liboci-wasm/$layer/$name.cc" ] ||
        say "$test tests no source: liboci-wasm/$layer/$name.c is not there"
    grep -q "'\(test-\)\?$name\(\.c\)\?'" "tests/$layer/meson.build" ||
        say "$test is not in tests/$layer/meson.build"
done
exit "$status"
