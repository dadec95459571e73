#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is installed works on its own: the examples compile against the installed headers with
# pkg-config's flags, and pack and pull as the tool does.
#
# usage: test-install.sh OCI_WASM BUILD_DIR
build=$2
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl pkg-config
registry_init
registry_start plain || exit 1
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"

runs "the build installs" env DESTDIR="$work/sysroot" meson install -C "$build" --no-rebuild --quiet
pc=$(find sysroot -name liboci-wasm.pc)
holds "with a pkg-config file" test -n "$pc"
PKG_CONFIG_PATH=$work/$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$work/sysroot
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
LD_LIBRARY_PATH=$work/$(dirname "$(find sysroot -name 'liboci-wasm.so' | head -n 1)")
export LD_LIBRARY_PATH
holds "and the tool" test -x "sysroot/usr/local/bin/oci-wasm"
runs "which runs" sysroot/usr/local/bin/oci-wasm version

read -ra compiler <<<"${CC:-cc}" # may be two words: ccache cc
for example in pack pull; do
    # shellcheck disable=SC2046  # flags are words
    runs "$example.c compiles against it" "${compiler[@]}" -std=c11 -Wall -Wextra -pedantic -Werror \
        "$root/docs/examples/$example.c" -o "$example" $(pkg-config --cflags --libs liboci-wasm)
done
runs "the example packs" ./pack "$root/testdata/apps/notes/spin.toml" image v1
digest=$out
runs "the tool packs" oci-wasm pack -f "$root/testdata/apps/notes/spin.toml" -o oci:other:v1
same "to the same digest" "$out" "$digest"
runs "the tool pushes" oci-wasm push oci:image:v1 "$REGISTRY_ADDRESS/notes:v1"
runs "the example pulls" ./pull "$REGISTRY_ADDRESS/notes:v1" pulled tree
runs "the tool extracts" oci-wasm extract --file-url-root "$PWD/tree" oci:image:v1 expected
same "to the same tree" "$(tree_digest expected)" "$(tree_digest tree)"
fails 1 "the example tells an error" ./pull "$REGISTRY_ADDRESS/notes:none" pulled tree2

cli_finish
