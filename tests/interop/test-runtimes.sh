#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runtimes take our rootfs image and see our tree: umoci unpacks it, containerd imports it and
# runc runs a program in it that lists what is there.
#
# usage: test-runtimes.sh OCI_WASM umoci|containerd|containerd-peer
kind=$2
# shellcheck source=../support/containerd.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/containerd.sh"
peers=${OCIW_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/oci-wasm-peers}/bin
bin=
case $kind in
umoci) command -v umoci >/dev/null || skip_all "no umoci here" ;;
containerd) containerd_require ;;
containerd-peer)
    containerd_require
    [ -x "$peers/containerd" ] || skip_all "no containerd 2.4 in $peers"
    bin=$peers
    ;;
esac
busybox=$(command -v busybox) || skip_all "no busybox here"
# shellcheck source=../cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
cli_init "$@"
trap 'containerd_stop; cli_cleanup' EXIT

# "SIZE PATH" of every file, as busybox can print it too.
files_of() {
    (cd "$1" && find . -type f -exec "$busybox" stat -c '%a %s %n' {} + | LC_ALL=C sort -k 3)
}

runs "notes packs as rootfs into a layout" \
    oci-wasm pack -f "$root/testdata/apps/notes/spin.toml" --format rootfs -o oci:image:v1
digest=$out
runs "and into an archive" oci-wasm copy oci:image:v1 oci-archive:image.tar:v1
runs "we extract it" oci-wasm extract oci:image:v1 ours

if [ "$kind" = umoci ]; then
    runs "umoci unpacks it" umoci unpack --image image:v1 bundle
    same "to our tree" "$(files_of ours)" "$(files_of bundle/rootfs)"
    cli_finish
fi

containerd_start "$bin" || exit 1
echo "# containerd $CONTAINERD_VERSION"
runs "containerd imports the archive" \
    containerd_ctr images import --base-name notes --snapshotter native image.tar
image=$(containerd_ctr images ls -q | head -n 1)
same "with our digest" "$digest" "$(containerd_ctr images ls "name==$image" | awk 'NR == 2 { print $3 }')"
runs "runc runs in it" containerd_ctr run --rm --snapshotter native \
    --mount "type=bind,src=$(realpath "$busybox"),dst=/busybox,options=rbind:ro" "$image" look \
    /busybox sh -c 'cd / && /busybox find . -xdev -type f ! -name busybox -exec /busybox stat -c "%a %s %n" {} +'
same "and sees our tree" "$(files_of ours)" \
    "$(grep -v ' \./\(dev\|proc\|sys\|run\|etc/\(hosts\|resolv.conf\)\)' <<<"$out" | LC_ALL=C sort -k 3)"
cli_finish
