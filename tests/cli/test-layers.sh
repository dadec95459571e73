#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Layers that depend on each other come out the same whether one thread reads them or several run ahead.
#
# usage: test-layers.sh OCI_WASM_EXTRACT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tool=$(realpath -e "$1") || exit 1
cli_init "$tool"

stamps() { (cd "$1" && find . -printf '%p %n %T@ %s\n' | LC_ALL=C sort); }

for seed in 1 2 3; do
    rm -rf image serial threads pinned first umoci
    runs "image $seed is made" python3 -B "$root/tests/cli/layers.py" "$seed" image
    files=$out
    runs "by one thread" "$tool" --serial oci:image:v1 serial
    same "it has the files that the layers leave" "$files" "$(cd serial && find . -type f -printf '%P\n' | LC_ALL=C sort)"
    runs "by several" "$tool" oci:image:v1 threads
    same "the same tree" "$(tree_digest serial)" "$(tree_digest threads)"
    same "with the same times and links" "$(stamps serial)" "$(stamps threads)"
    runs "on one core" taskset -c "$(taskset -pc $$ | sed 's/.*[ ,-]//')" "$tool" oci:image:v1 pinned
    same "too" "$(tree_digest serial)$(stamps serial)" "$(tree_digest pinned)$(stamps pinned)"
    runs "each layer verified first" "$tool" --verify-first oci:image:v1 first
    same "too" "$(tree_digest serial)$(stamps serial)" "$(tree_digest first)$(stamps first)"
    if [ "$(id -u)" -eq 0 ] && command -v umoci >/dev/null; then
        runs "by umoci" umoci raw unpack --image image:v1 umoci
        same "the same tree again" "$(tree_digest serial)" "$(tree_digest umoci)"
    fi
done

# The layer that fails is named by its number, whatever ran ahead.
victim=$(python3 -c 'import json, glob
one = json.load(open("image/index.json"))["manifests"][0]["digest"]
print(json.load(open("image/blobs/" + one.replace(":", "/")))["layers"][4]["digest"].replace(":", "/"))')
python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(200_000); f.write(b"damaged")' "image/blobs/$victim"
fails 6 "a damaged layer fails" "$tool" --verify-first oci:image:v1 damaged
holds "by its number" grep -q 'layer 5 ' <<<"$err"
"$tool" oci:image:v1 damaged >/dev/null 2>"$work/.err"
holds "also without a look at all of it first" grep -q 'layer 5 ' "$work/.err"
holds "and leaves nothing" test -z "$(find . -maxdepth 1 -name '*damaged*')"

# An artifact of one large file, damaged near its end.
python3 - <<'END'
import hashlib, json, os, random
os.makedirs("artifact/blobs/sha256")
def put(data, kind, name=None):
    digest = hashlib.sha256(data).hexdigest()
    with open("artifact/blobs/sha256/" + digest, "wb") as file:
        file.write(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data), "annotations": name or {}}
data = b"\0asm\1\0\0\0" + random.Random(1).randbytes(5_000_000)
kind = "application/vnd.oci.image.manifest.v1+json"
layer = put(data, "application/wasm", {"org.opencontainers.image.title": "a.wasm"})
config = put(b"{}", "application/vnd.wasm.config.v0+json")
manifest = put(json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode(),
               kind, {"org.opencontainers.image.ref.name": "v1"})
json.dump({"schemaVersion": 2, "manifests": [manifest]}, open("artifact/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open("artifact/oci-layout", "w"))
END
runs "a large artifact" "$tool" oci:artifact:v1 whole
victim=$(find artifact/blobs -size +1M)
holds "comes whole" cmp whole/a.wasm "$victim"
python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(4_900_000); f.write(b"damaged")' "$victim"
fails 6 "damaged it fails" "$tool" oci:artifact:v1 partial
holds "and leaves nothing" test -z "$(find . -maxdepth 1 -name '*partial*')"
fails 6 "by one thread too" "$tool" --serial oci:artifact:v1 partial
cli_finish
