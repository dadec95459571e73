#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# oci-wasm convert within a real registry: what both images share is not sent again, the result is
# what packing gives, and others read it.
#
# usage: test-convert.sh OCI_WASM
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/../support/registry.sh"
registry_init
registry_require docker-registry curl skopeo
source "$here/lib.sh"
cli_init "$@"
registry_start plain || exit 1
there=$REGISTRY_ADDRESS/team/site
layouts=$root/testdata/golden/layouts

# The bytes of all blobs that the registry has.
stored() {
    find "$REGISTRY_STORAGE/docker/registry/v2/blobs" -name data -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}
uploads() {
    registry_log "$REGISTRY_NAME" | grep -cE '"(PUT|PATCH) /v2/[^ ]*/blobs/uploads/'
}

mkdir -p app/site/deep
cp "$root/testdata/bare/component.wasm" app/a.wasm
for i in $(seq 1 40); do
    head -c 20000 <(openssl enc -aes-128-ctr -nosalt -pass "pass:$i" -in /dev/zero 2>/dev/null) >"app/site/deep/$i.bin"
done
printf 'hello' >app/site/index.html
cat >app/spin.toml <<'END'
spin_manifest_version = 2
[application]
name = "site"
version = "1.0.0"
[[trigger.http]]
route = "/..."
component = "a"
[component.a]
source = "a.wasm"
files = ["site/**/*"]
END

declare -A packed
for format in spin spin-node rootfs; do
    runs "the app packs as $format" oci-wasm pack --no-cache -f app --format "$format" -o "oci:packed-$format:v1"
    packed[$format]=$out
done
runs "the app is pushed for Spin, with bundles" oci-wasm push --no-cache -f app --format spin --layers bundles "$there:v1"
before=$(stored)
sent=$(uploads)
runs "it is converted for nodes in the same repository" oci-wasm convert "$there:v1" "$there:v1-node" --format spin-node
same "to what packing for nodes gives" "${packed[spin-node]}" "$out"
holds "lock, config, manifest and one small file are new in the registry" test "$(($(stored) - before))" -lt 8192
holds "and no more than three blobs were sent" test "$(($(uploads) - sent))" -le 6
before=$(stored)
runs "a second time" oci-wasm convert "$there:v1" "$there:v1-node" --format spin-node
same "nothing is new" "$before" "$(stored)"
runs "in another repository of the registry" oci-wasm convert "$there:v1" "$REGISTRY_ADDRESS/other/site:v1" --format spin-node
same "nothing is new either" "$before" "$(stored)"

runs "the node image becomes one for Spin" oci-wasm convert "$there:v1-node" oci:back:v1 --format spin
same "as packing gives it" "${packed[spin]}" "$out"
runs "and a rootfs image" oci-wasm convert "$there:v1-node" oci-archive:rootfs.tar:v1 --format rootfs
same "as packing gives it" "${packed[rootfs]}" "$out"
runs "skopeo reads that" skopeo inspect oci-archive:rootfs.tar
runs "the node image is clean for the shim" oci-wasm spin check --for=node "$there:v1-node"
holds "without a word" test -z "$out"

runs "two formats at once" oci-wasm convert "$there:v1" "$there:v2" --format spin,spin-node
same "one line for each" 2 "$(wc -l <<<"$out")"
runs "have two tags" oci-wasm tags "$there"
same "all of them, beside the list of referrers" "v1 v1-node v2 v2-node" \
    "$(grep -v ^sha256- <<<"$out" | LC_ALL=C sort | paste -sd' ')"

# What Spin itself has pushed.
runs "a layout of Spin is copied to the registry" oci-wasm copy "oci:$layouts/spin-3.6.3:archive" "$there:spin"
runs "and converted for nodes" oci-wasm convert "$there:spin" "$there:spin-node" --format spin-node
for tag in spin spin-node; do
    runs "$tag is extracted" oci-wasm extract "$there:$tag" "tree-$tag"
done
same "to the same files" "$(tree_digest tree-spin/assets)" "$(tree_digest tree-spin-node/assets)"
runs "an archive without its end is converted" oci-wasm convert "oci:$layouts/spin-main-truncated-archive" oci:whole:v1 --format spin-node
holds "with a warning" grep -q 'has no end' <<<"$err"

# A tree that a killed run unpacked, and a name that only looks like one.
mkdir -p temporary/.oci-wasm.0123456789abcdef.partial/app precious
ln -s "$work/precious" temporary/.oci-wasm.fedcba9876543210.partial
runs "a rootfs image is unpacked in TMPDIR" env TMPDIR="$work/temporary" oci-wasm convert oci-archive:rootfs.tar:v1 oci:again:v1 --format spin
same "where what killed runs left is gone, and a link is not followed" .oci-wasm.fedcba9876543210.partial "$(ls -A temporary)"
holds "and what it leads to is there" test -d precious

fails 7 "an image without a Spin app is refused" oci-wasm convert "oci:$layouts/wkg-component" oci:none:v1 --format spin
holds "by its format" grep -q 'this is a wasm image' <<<"$err"
fails 3 "a missing image is not found" oci-wasm convert "$there:none" oci:none:v1 --format spin
fails 2 "a format is needed" oci-wasm convert "$there:v1" oci:none:v1
fails 2 "and must be known" oci-wasm convert "$there:v1" oci:none:v1 --format zip
holds "a failure leaves no layout" test ! -e none

cli_finish
