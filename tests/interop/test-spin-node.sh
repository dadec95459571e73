#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One app as a Spin artifact and as a node image in a real registry: containerd 2.4 pulls both and
# shows every file under /assets (spin-node.md 2-4), and the shim's invariants hold in the bytes.
#
# usage: test-spin-node.sh OCI_WASM
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=${OCIW_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/oci-wasm-peers}/bin
# shellcheck source=../support/containerd.sh
source "$here/../support/containerd.sh"
# shellcheck source=../support/registry.sh
source "$here/../support/registry.sh"
containerd_require
[ -x "$peers/containerd" ] || skip_all "no containerd 2.4 in $peers"
registry_require docker-registry curl python3
registry_init
# shellcheck source=../cli/lib.sh
source "$here/../cli/lib.sh"
cli_init "$@"
trap 'containerd_stop; registry_cleanup' EXIT

mkdir -p app/front/sub app/api app/big
python3 - <<'END'
import os
for i in range(520):
    with open(f"app/front/sub/page-{i:03}.html", "wb") as file:
        file.write(f"<p>{i}</p>".encode() * (i + 1))
with open("app/front/.wh.kept", "wb") as file:
    file.write(b"not a whiteout" * 20)
for i in range(5):
    with open(f"app/api/data-{i}.bin", "wb") as file:
        file.write(bytes([i]) * (70000 + i))
with open("app/api/run.sh", "wb") as file:
    file.write(b"#!/bin/sh\necho run\n" * 10)
os.chmod("app/api/run.sh", 0o755)
with open("app/big/model.bin", "wb") as file:
    file.write(b"model" * 20000)
END
cp "$root/testdata/bare/component.wasm" app/a.wasm
cat >app/spin.toml <<'END'
spin_manifest_version = 2
[application]
name = "both"
[[trigger.http]]
route = "/..."
component = "front"
[[trigger.http]]
route = "/api/..."
component = "api"
[[trigger.http]]
route = "/big"
component = "big"
[[trigger.http]]
route = "/bare"
component = "bare"
[component.front]
source = "a.wasm"
files = [{ source = "front", destination = "/" }]
[component.api]
source = "a.wasm"
files = [{ source = "api", destination = "/" }]
[component.big]
source = "a.wasm"
files = [{ source = "big", destination = "/" }]
[component.bare]
source = "a.wasm"
END

registry_start plain || exit 1
reference=$REGISTRY_ADDRESS/both
runs "both formats are pushed" \
    oci-wasm pack -f app/spin.toml --format spin,spin-node -o "$reference:v1" --plain-http
runs "the artifact comes back" oci-wasm copy --plain-http "$reference:v1" oci:image:v1
spin=$out
runs "and the node image" oci-wasm copy --plain-http "$reference:v1-node" oci:image:v1-node
node=$out

runs "the invariants of shim and containerd hold" python3 "$here/spin_node_rules.py" \
    image "$spin" "$node" app "$REGISTRY_STORAGE"

# Storage is by content and would hide a second upload; the registry's log does not.
uploaded() {
    registry_log "$REGISTRY_NAME" | grep -c '"PUT /v2/both/blobs/uploads/[^"]*" 201'
}
same "each blob was uploaded once" "$(find "$work/image/blobs" -type f | wc -l)" "$(($(uploaded) + 2))"

# Files whose names would be whiteouts are no part of the snapshot: the shim copies them.
want() {
    (
        cd app || exit
        for component in front api big; do
            find "$component" -type f ! -name '.wh.*' -printf "assets/%p %m\n" |
                sed 's/ 6[0-9]*$/ 644/; s/ 7[0-9]*$/ 755/'
        done
    ) | LC_ALL=C sort
}

containerd_start "$peers" || exit 1
echo "# containerd $CONTAINERD_VERSION"
runs "containerd pulls the artifact" \
    containerd_ctr images pull --plain-http --snapshotter native --platform linux/amd64 "$reference:v1"
runs "and the node image" \
    containerd_ctr images pull --plain-http --snapshotter native --platform linux/amd64 "$reference:v1-node"
same "with our digest" "$node" \
    "$(containerd_ctr images ls "name==$reference:v1-node" | awk 'NR == 2 { print $3 }')"
mkdir tree
runs "its snapshot is mounted" \
    containerd_ctr images mount --snapshotter native --platform wasip1/wasm "$reference:v1-node" tree
same "it has every file" "$(want)" \
    "$(cd tree && find . -type f -printf '%P %m\n' | LC_ALL=C sort)"
for component in front api big; do
    runs "$component has the right bytes" diff -r --exclude='.wh.*' "app/$component" "tree/assets/$component"
done
umount tree 2>/dev/null
cli_finish
