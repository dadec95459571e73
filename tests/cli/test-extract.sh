#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# oci-wasm extract from outside: the tree of each mode, destinations that are not replaced, and
# nothing left in or beside the destination after a failure.
#
# usage: test-extract.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
apps=$root/testdata/apps
golden=$root/testdata/golden

cli_run oci-wasm pack -f "$apps/notes/spin.toml" -o oci:notes:spin
cli_run oci-wasm pack -f "$apps/notes/spin.toml" --format rootfs -o oci:notes:rootfs

mkdir inside
cd inside || exit 1
runs "a Spin app extracts as files" oci-wasm extract oci:../notes:spin files
holds "with its static files" cmp files/assets/site/site/index.html "$apps/notes/site/index.html"
holds "and those of another component" cmp files/assets/count/notes.txt "$apps/notes/notes.txt"
holds "an empty file is there" test -f files/assets/count/data/empty.txt
holds "an excluded file is not" test ! -e files/assets/site/site/drafts/next.html
same "nothing is left beside it" files "$(ls -A)"

runs "the rootfs form extracts" oci-wasm extract --mode rootfs oci:../notes:rootfs rootfs
holds "with a spin.toml of its own" grep -q notes rootfs/spin.toml

mkdir empty
runs "an empty directory is replaced" oci-wasm extract oci:../notes:rootfs empty
same "and gets the same tree" "$(tree_digest rootfs)" "$(tree_digest empty)"
runs "one thread gives the same tree" oci-wasm extract --serial oci:../notes:rootfs serial
same "byte for byte" "$(tree_digest rootfs)" "$(tree_digest serial)"
runs "so does the portable walker" oci-wasm extract --no-openat2 oci:../notes:rootfs portable
same "with the same modes" "$(tree_digest rootfs)" "$(tree_digest portable)"
fails 10 "a directory with something in it is not" oci-wasm extract oci:../notes:rootfs rootfs
before=$(ls -A)
fails 8 "too many bytes are over a limit" oci-wasm extract --max-bytes 1K oci:../notes:rootfs none
fails 8 "too many entries as well" oci-wasm extract oci:../notes:rootfs none --max-entries=2
fails 8 "too long a path" oci-wasm extract oci:../notes:rootfs none --max-path 3
fails 8 "too deep a path" oci-wasm extract oci:../notes:rootfs none --max-depth 1
fails 8 "too many layers" oci-wasm extract oci:../notes:spin none --max-layers 1
fails 3 "a tag that is not there is not found" oci-wasm extract oci:../notes:nothing none
same "failures leave nothing" "$before" "$(ls -A)"
cd ..

# The blob of a layer with one byte changed: its digest is no longer right.
cp -r notes damaged
victim=$(find damaged/blobs/sha256 -type f -size +20k | LC_ALL=C sort | head -n 1)
printf 'X' | dd of="$victim" bs=1 seek=10000 conv=notrunc status=none
fails 6 "a changed byte is noticed" oci-wasm extract "oci:damaged:spin" none
holds "by its digest" grep -qi 'digest' <<<"$err"
holds "and nothing is left" test ! -e none

# Damage inside a layer whose digest is right is damage all the same; what was never an image is not.
layer() { python3 "$root/tests/support/extract-layers.py" "$(command -v oci-wasm)" --to "$PWD/none" --media-type "application/vnd.oci.image.layer.v1.tar$1" "$root/testdata/corpus/cases/$2"; }
fails 6 "a wrong checksum of gzip is damage" layer +gzip framing-gzip-bad-crc.tar.gz
fails 6 "a gzip stream cut short as well" layer +gzip framing-gzip-truncated.tar.gz
fails 6 "or one of zstd" layer +zstd framing-zstd-truncated.tar.zst
fails 6 "or a tar" layer "" framing-truncated-data.tar
fails 7 "another kind of file is unsuitable" layer "" confusion-zip.tar
fails 9 "a name that leads out is refused" layer "" names-dotdot-start.tar
fails 8 "a bomb is over a limit" layer +gzip limits-gzip-one-gib.tar.gz
limit() { python3 "$root/tests/support/extract-layers.py" "$(command -v oci-wasm)" --to "$PWD/none" "$1" --media-type application/vnd.oci.image.layer.v1.tar+gzip "$root/testdata/corpus/cases/limits-gzip-one-gib.tar.gz"; }
fails 8 "that of its ratio" limit --max-ratio=100
holds "which is told" grep -q "100 : 1" <<<"$err"
fails 8 "or that of its bytes" limit --max-bytes=10M
window() { python3 "$root/tests/support/extract-layers.py" "$(command -v oci-wasm)" --to "$PWD/none" "$1" --media-type application/vnd.oci.image.layer.v1.tar+zstd "$root/testdata/corpus/cases/framing-zstd-frames.tar.zst"; }
fails 8 "a zstd window as well" window --max-zstd-window=1

# What the real shim leaves; compiled wasm there, so its paths and the assets only.
for tag in v1 archive; do
    runs "the shim's cache of tag $tag" oci-wasm extract --mode spin-cache "oci:$golden/shim/two:$tag" "cache-$tag"
    same "has the shim's paths" "$(cut -d' ' -f1 "$golden/shim/two-$tag.txt" | grep -v '/$' | grep '^assets\|^spin.json' | LC_ALL=C sort)" \
        "$(cd "cache-$tag" && find . -type f -printf '%P\n' | grep '^assets\|^spin.json' | LC_ALL=C sort)"
done

cli_finish
