#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A wasm file of 300 MiB is pushed, pulled and extracted with a peak memory under 24 MiB: nothing is
# held whole.
#
# usage: test-memory.sh OCI_WASM BENCH_RUN
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl
registry_init
registry_start plain || exit 1
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
measure=$(realpath -e "$2") most=24576
cli_init "$@"

# A module with one custom section: magic, version, id 0, size 314572800 - 14 in LEB128, name "pad".
# The rest is noise that does not compress, from a key that is always the same.
{
    printf '\0asm\1\0\0\0\0\xf2\xff\xff\x95\x01\3pad'
    openssl enc -aes-128-ctr -nosalt -K 000102030405060708090a0b0c0d0e0f \
        -iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null | head -c $((0x12bffff2 - 4))
} >big.wasm
printf 'spin_manifest_version = 2\n[application]\nname = "big"\n[[trigger.http]]\nroute = "/..."\ncomponent = "big"\n[component.big]\nsource = "big.wasm"\n' >spin.toml

under "$measure" "$most" "pushes 300 MiB" oci-wasm push -f spin.toml "$REGISTRY_ADDRESS/big:v1"
under "$measure" "$most" "pulls them" oci-wasm pull "$REGISTRY_ADDRESS/big:v1" oci:pulled:v1
under "$measure" "$most" "extracts them" oci-wasm extract oci:pulled:v1 tree
holds "and they are the same" cmp big.wasm "$(find tree -type f -size +299M | head -n 1)"
rm -rf pulled tree
under "$measure" "$most" "extracts them from the registry" oci-wasm extract "$REGISTRY_ADDRESS/big:v1" tree

cli_finish
