#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs cppcheck over the library and the tools with the compile commands of a build directory.
#
# usage: tests/lint/cppcheck.sh BUILD_DIR
set -euo pipefail

build=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v cppcheck >/dev/null || { echo "no cppcheck here" && exit 77; }

# Cleanup attributes are invisible to cppcheck, hence no memleak and resourceLeak: LeakSanitizer
# sees those. NULL is a pointer here, so it may end a list of arguments (varFuncNullUB). Macros of other libraries are unknown on purpose (missingInclude).
exec cppcheck --project="$build/compile_commands.json" --quiet -j "$(nproc)" \
    --file-filter="$PWD/liboci-wasm/*.c" --file-filter="$PWD/tools/*.c" \
    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
    --suppress=memleak --suppress=resourceLeak --suppress=unknownMacro \
    --suppress=varFuncNullUB --template='{file}:{line}: {severity}: {message} [{id}]'
