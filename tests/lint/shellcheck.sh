#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs shellcheck over every shell script of the project, whatever its name.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v shellcheck >/dev/null || { echo "no shellcheck here" && exit 77; }

scripts=()
while IFS= read -r -d '' file; do
    if [[ $file == *.sh ]] || head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*\b(ba)?sh\b'; then
        scripts+=("$file")
    fi
done < <(find .ci tools tests testdata docs fuzz -path testdata/golden -prune -o \
    -path testdata/corpus -prune -o -path fuzz/corpus -prune -o \
    -type f ! -name '*.c' ! -name '*.h' ! -name '*.wasm' -print0 2>/dev/null)
exec shellcheck "${scripts[@]}"
