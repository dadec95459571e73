#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The main flows under valgrind, where both tools must make no error and lose no memory, failures
# included. A quick look at the whole programs; the unit tests have `--setup valgrind`.
#
# usage: test-valgrind.sh OCI_WASM OCI_WASM_EXTRACT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
extractor=$(realpath -e "$2") || exit 1
cli_init "$@"
apps=$root/testdata/apps
checked() { valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "$@"; }

# Large enough for two threads.
cp -r "$apps/notes" app
head -c 3000000 /dev/urandom >app/site/large.bin

runs "pack a spin image" checked oci-wasm pack -f app/spin.toml -o oci:image:spin
runs "pack a rootfs image" checked oci-wasm pack -f app/spin.toml --format rootfs -o oci:image:rootfs
runs "pack into an archive" checked oci-wasm pack -f app/spin.toml --format spin-node -o oci-archive:node.tar:v1
runs "copy from an archive to a layout" checked oci-wasm copy oci-archive:node.tar:v1 oci:image:node
runs "spin lock" checked oci-wasm spin lock app/spin.toml
runs "inspect" checked oci-wasm inspect oci:image:node
runs "extract files" checked oci-wasm extract oci:image:spin files
runs "extract a root through the cache" checked "$extractor" --cache cache oci:image:rootfs tree
holds "with all of it" cmp "$(find tree -name large.bin -print -quit)" app/site/large.bin
runs "verify a store" checked oci-wasm store verify image

# One byte of the largest blob is changed.
cp -r image damaged
victim=$(find damaged/blobs/sha256 -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
printf '\0' | dd of="$victim" bs=1 seek=1000000 conv=notrunc status=none
fails 6 "a damaged layer" checked "$extractor" oci:damaged:rootfs none
fails 10 "a full destination" checked "$extractor" oci:image:rootfs tree
fails 8 "a limit" checked "$extractor" oci:image:rootfs none --max-bytes 2M

cli_finish
