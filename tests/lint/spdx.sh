#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every source says its licence in its first lines and then, in a comment, what it is for. No
# source is longer than a reader can hold (800 lines), none has white space at the end of a line.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# One awk for all files: a process for each would take seconds.
find liboci-wasm tools tests fuzz docs testdata .ci \
    \( -path testdata/golden -o -path testdata/corpus -o -path fuzz/corpus -o -name __pycache__ \) -prune -o \
    -type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' \
    -o -name '*.go' -o -name '*.mjs' -o -path tools/setup -o -path .ci/run \) -print0 |
    LC_ALL=C sort -z | LC_ALL=C xargs -0 awk '
    function say(name, why) {
        print name ": " why
        failed = 1
    }
    function finish(    n) {
        if (!current)
            return
        if (!licence)
            say(current, "no SPDX line")
        else if (!comment)
            say(current, "no header comment")
        if (lines > 800)
            say(current, lines " lines; split it by responsibility")
    }
    FNR == 1 {
        finish()
        current = FILENAME
        licence = comment = spaces = 0
    }
    FNR <= 3 && /SPDX-License-Identifier: Apache-2\.0/ { licence = FNR }
    # An empty comment line follows the licence, then at least one with words.
    licence && FNR > licence && FNR <= licence + 3 && /^ ?(\*|#|\/\/|  +|\/\*).*[a-zA-Z][a-zA-Z][a-zA-Z].* / { comment = 1 }
    /[ \t]$/ && !spaces++ { say(FILENAME ":" FNR, "white space at the end") }
    { lines = FNR }
    END {
        finish()
        exit failed
    }'
