#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What `ninja bench` calls: a release build of the tools, inside the build directory, and bench.py on it.
#
# usage: bench.sh SOURCE BUILD BENCH-RUN BENCH-BOUND
set -euo pipefail
release=$2/bench-release
[ -e "$release/build.ninja" ] ||
    meson setup --buildtype=release -Dtests=false -Dman=disabled "$release" "$1" >&2
tools=(tools/oci-wasm/oci-wasm tools/oci-wasm-extract/oci-wasm-extract)
ninja --quiet -C "$release" "${tools[@]}" >&2
PYTHONDONTWRITEBYTECODE=1 exec python3 "$1/tests/bench/bench.py" "${tools[@]/#/$release/}" "$3" "$4"
