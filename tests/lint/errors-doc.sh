#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/errors.md lists exactly the codes of enum ociw_code, with their numbers, and docs/limits.md
# exactly the members of ociw_limits, with the default that the header says. The exit statuses of
# errors.md are those of the tools' exit-status.h.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
include=liboci-wasm/include/oci-wasm
status=0

diff --label error.h --label docs/errors.md \
    <(sed -nE 's/^\s*OCIW_(ERR_[A-Z]+|OK) = (-?[0-9]+).*/OCIW_\1 \2/p' $include/error.h | sort) \
    <(sed -nE 's/^\| `(OCIW_[A-Z_]+)` \| (-?[0-9]+) \|.*/\1 \2/p' docs/errors.md | sort) || status=1

# "uint64_t max_layers;  /**< layers of one image: 512 */": the default follows the last colon.
diff --label op.h --label docs/limits.md \
    <(sed -nE 's/^\s*uint64_t (max_[a-z_]+|retry_[a-z_]+);.*: ([^:]*) \*\/$/\1 \2/p' $include/op.h | sort) \
    <(sed -nE 's/^\| `((max|retry)_[a-z_]+)` \| ([^|]*) \|.*/\1 \3/p' docs/limits.md | sort) || status=1
# "case OCIW_ERR_X:" lines up to the "return EXIT_Y;" that ends them; "break" means other.
if [ -e tools/oci-wasm/exit-status.h ]; then
    diff --label exit-status.h --label docs/errors.md \
        <(awk '
            match($0, /EXIT_[A-Z_]+ = [0-9]+/) { split(substr($0, RSTART, RLENGTH), t, " = "); value[t[1]] = t[2] }
            match($0, /case OCIW_[A-Z_]+:/) { waiting[++n] = substr($0, RSTART + 5, RLENGTH - 6) }
            match($0, /return EXIT_[A-Z_]+|break/) {
                name = $1 == "break;" ? "EXIT_OTHER" : substr($0, RSTART + 7, RLENGTH - 7)
                for (i = 1; i <= n; i++)
                    print waiting[i], value[name]
                n = 0
            }' tools/oci-wasm/exit-status.h | sort) \
        <(sed -nE 's/^\| `(OCIW_[A-Z_]+)` .*[| ]([0-9]+) \|$/\1 \2/p' docs/errors.md | sort) || status=1
fi
exit "$status"
