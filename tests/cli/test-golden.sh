#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every recorded layout and archive is listed, resolved, inspected and copied; what other tools
# wrote keeps its digest on the way.
#
# usage: test-golden.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
golden=$root/testdata/golden

# "NAME DIGEST" of each entry of an index.json.
entries() {
    python3 -c '
import json, sys
for entry in json.load(sys.stdin)["manifests"]:
    notes = entry.get("annotations", {})
    print(notes.get("org.opencontainers.image.ref.name", "-"), entry["digest"])'
}

check_end() {
    local label=$1 end=$2 copy=$3 name digest image
    shift 3
    runs "$label: is listed" oci-wasm tags "$end"
    while read -r name digest; do
        [ "$name" != - ] || continue
        # A name with a slash cannot follow a path: those are reached by digest.
        image=$end:$name
        if [[ $name == */* ]]; then
            image=$end@$digest
            name=by-digest
        fi
        runs "$label: $name is resolved" oci-wasm resolve "$image"
        same "$label: $name has its digest" "$digest" "$out"
        runs "$label: $name is inspected" oci-wasm inspect "$image"
        runs "$label: $name is inspected as JSON" oci-wasm inspect --json "$image"
        holds "$label: $name gives JSON" python3 -m json.tool "$work/.out"
        runs "$label: $name is copied" oci-wasm copy "$image" "oci:$copy:$name"
        same "$label: $name keeps its digest" "$digest" "$out"
    done
}

for layout in "$golden"/layouts/*; do
    label=${layout##*/}
    check_end "$label" "oci:$layout" "copy-$label" < <(entries <"$layout/index.json")
done
for archive in "$golden"/archives/*.tar; do
    label=${archive##*/}
    # A Docker archive has no index of its own and so no digests to compare.
    tar -xOf "$archive" index.json >index 2>/dev/null || {
        runs "$label: is listed" oci-wasm tags "oci-archive:$archive"
        continue
    }
    check_end "$label" "oci-archive:$archive" "copy-$label" < <(entries <index)
done

cli_finish
