#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The library lives inside other people's processes, so it owns no writable globals: no object in
# .data or .bss, thread-local or not, in any layer. Constants that need relocation are fine: the
# loader makes them read-only.
#
# usage: no-mutable-globals.sh LIBRARY.a...
set -euo pipefail

# The exceptions, each with its reason:
#   ociwp_nomem_error   the error for "out of memory" cannot be allocated; it is never written to
#   ociwp_alloc_*       the seam by which tests make allocations fail
allowed='^(ociwp_nomem_error|ociwp_alloc_[a-z_]+)$'

status=0
for library in "$@"; do
    # Columns: address, seven flags, section, TAB, size, name.
    found=$(objdump -t "$library" | awk -v allowed="$allowed" '
        /\t/ {
            split($0, half, "\t")
            n = split(half[1], left, " ")
            section = left[n]
            split(half[2], right, " ")
            name = right[2]
            if (section !~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ || section ~ /^\.data\.rel\.ro/)
                next
            if (right[1] ~ /^0+$/ || name ~ /^\./)
                next
            sub(/\.[0-9]+$/, "", name)
            if (name !~ allowed)
                print name " in " section
        }')
    if [ -n "$found" ]; then
        printf '%s\n' "$found" | sed "s|^|${library##*/}: |"
        status=1
    fi
done
exit "$status"
