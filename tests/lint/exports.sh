#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the library exports is said in three places that must agree: OCIW_API in the public
# headers, the symbol map, and the dynamic symbols of the built library.
#
# usage: exports.sh INCLUDE_DIR GENERATED_INCLUDE_DIR MAP LIBRARY.so
set -euo pipefail

include=$1
generated=$2
map=$3
library=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Comments and preprocessor lines go away, the rest becomes one line to match across breaks.
cat "$include"/oci-wasm/*.h "$generated"/oci-wasm/version.h | sed '/^[[:space:]]*#/d' | tr '\n' ' ' |
    sed -E 's#/\*([^*]|\*+[^*/])*\*+/##g' |
    grep -oP 'OCIW_API[^;{]*?\b\Kociw_[a-z0-9_]+(?=\s*\()' | LC_ALL=C sort -u >"$scratch/headers"
grep -oP '^\s*\Kociw_[a-z0-9_]+(?=;)' "$map" | LC_ALL=C sort >"$scratch/map"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    LC_ALL=C sort >"$scratch/library"

status=0
compare() {
    diff --label "$1" --label "$2" -U0 "$scratch/$1" "$scratch/$2" | grep -E '^[-+]' || return 0
    status=1
}
[ -s "$scratch/headers" ] || { echo "no OCIW_API in $include" && exit 1; }
[ -z "$(uniq -d "$scratch/map")" ] || { echo "a name is in the map twice: $(uniq -d "$scratch/map")" && exit 1; }
compare headers map
compare map library
exit "$status"
