#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every rule that a finding about a manifest or an image can have stands in docs/formats/spin-manifest.md, and no other.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Rules are the last part of an ociwp_where, or the argument in front of err in a finding.
used=$(cat liboci-wasm/spin/*.c liboci-wasm/ops/spin-check-image.c | tr '\n\t' '  ' |
    grep -oE '(ociwp_where\)? ?\{[^{}]*\{?[^{}]*\}?[^{}]*, *"[a-z-]+" *\}|ociwp_where [a-z]+ = \{[^{}]*"[a-z-]+"|at(_entry)?\((f|rs|s)[^()]*, "[a-z-]+"\)|where\(f,[^()]*"[a-z-]+"\)|\.rule = "[a-z-]+"|where = \{[^;]*"[a-z-]+"\}|(NULL|id|component), *"[a-z-]+", +&?(err|stopped))' |
    grep -oE '"[a-z-]+"' | tr -d '"' | sort -u)
listed=$(sed -n '/^## Rules/,/^## Where/p' docs/formats/spin-manifest.md |
    grep -oE '^\| `[^|]*\|' | grep -oE '`[a-z-]+`' | tr -d '`' | sort -u)
diff <(echo "$used") <(echo "$listed") && echo "$(echo "$used" | wc -l) rules"
