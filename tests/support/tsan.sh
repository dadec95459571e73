#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Drives the tools of a build with -Db_sanitize=thread through everything that starts threads: packing,
# pushing, copying, pulling, extracting. Criterion does not start under ThreadSanitizer, so the unit
# tests cannot do this. Any report is a failure.
#
# usage: tsan.sh BUILD     a build directory; docker-registry must be installed
set -euo pipefail
build=$(realpath -e "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tool=$build/tools/oci-wasm/oci-wasm extractor=$build/tools/oci-wasm-extract/oci-wasm-extract
# shellcheck source=registry.sh
source "$here/registry.sh"
registry_require docker-registry python3
registry_init
work=$REGISTRY_ROOT/work
mkdir "$work"
cd "$work"
export HOME=$work
unset XDG_CACHE_HOME XDG_DATA_HOME
failed=0

# A report goes to a file and makes the exit status 66.
export TSAN_OPTIONS="log_path=$work/report exitcode=66 history_size=4"
does() {
    local status=0
    "$@" >out 2>&1 || status=$?
    if [ "$status" -ne 0 ] || compgen -G "$work/report.*" >/dev/null; then
        echo "not clean: ${*##*/}: exit status $status"
        tail -n 20 out
        cat report.* 2>/dev/null | head -n 80
        rm -f report.*
        failed=1
    else
        echo "clean: ${*##*/}"
    fi
}

if ! nm "$tool" | grep __tsan_init >/dev/null; then
    echo "$tool is not built with ThreadSanitizer" >&2
    exit 1
fi
python3 -B "$here/../bench/app.py" M app
python3 -B "$here/../bench/image.py" app one
python3 -B "$here/../cli/layers.py" 1 layers >/dev/null
registry_start plain
at=$REGISTRY_ADDRESS

does "$tool" pack -f app --format spin-node --layers bundles -o oci:node:v1
does "$tool" pack -f app --format spin --layers bundles -o oci:spin:v1 --no-cache
does "$tool" pack -f app --format rootfs -o oci:rootfs:v1
does "$tool" push -q oci:node:v1 "$at/node:v1"
does "$tool" push -q -f app "$at/app:v1"
does "$tool" push -q -f app "$at/app:v1"
does "$tool" copy -q "$at/node:v1" "$at/copy:v1"
does "$tool" pull -q "$at/node:v1" oci:pulled:v1
does "$tool" pull -q "$at/copy:v1" oci-archive:pulled.tar:v1
does "$tool" store verify pulled
does "$tool" extract "oci:pulled:v1" node-tree
does "$tool" extract "$at/app:v1" app-tree
does "$tool" extract --mode spin-cache oci:spin:v1 cache-tree
does "$extractor" oci:one:v1 one-tree
does "$extractor" oci:layers:v1 layers-tree
does "$extractor" --verify-first oci:layers:v1 layers-verified
does "$extractor" --verify-first oci:rootfs:v1 rootfs-tree
does "$extractor" --cache cache oci:node:v1
does "$extractor" --cache cache oci:node:v1
# The failure of one thread must stop the other.
layer=$(find one/blobs -size +1M)
python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(20_000_000); f.write(b"damaged")' "$layer"
if "$extractor" oci:one:v1 damaged >out 2>&1; then
    echo "a damaged layer is accepted"
    failed=1
fi
does test ! -e damaged
exit "$failed"
