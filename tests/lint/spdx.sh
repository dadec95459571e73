#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every source says its licence in its first lines and then, in a comment, what it is for. No
# source is longer than a reader can hold (800 lines), none has white space at the end of a line.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
say() {
    echo "$*"
    status=1
}

while IFS= read -r -d '' file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || say "$file: no SPDX line"
    # After the SPDX line: an empty comment line, then at least one with words.
    sed -n '1,8p' "$file" | grep -A3 SPDX | grep -Eq '^ ?(\*|#|//|  +|/\*).*[[:alpha:]]{3}.* ' ||
        say "$file: no header comment"
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || say "$file: $lines lines; split it by responsibility"
    grep -nE '[[:space:]]+$' "$file" | head -n 3 | sed "s|^|$file: white space at the end: |" |
        grep . && status=1
done < <(
    find liboci-wasm tools tests fuzz docs testdata .ci \
        \( -path testdata/golden -o -path testdata/corpus -o -path 'fuzz/corpus' -o -name __pycache__ \) -prune -o \
        -type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' \
        -o -name '*.go' -o -name '*.mjs' -o -path tools/setup -o -path .ci/run \) -print0 2>/dev/null
)
exit "$status"
