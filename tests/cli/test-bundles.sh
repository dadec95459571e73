#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The bundles of an app of 2,000 files are whole for a reader that stops at the end of the first gzip
# member, as Spin does.
#
# usage: test-bundles.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"

holds "an app of 2,000 files is made" python3 -B "$root/tests/bench/app.py" M app
for jobs in 1 4; do
    runs "it is packed by $jobs thread(s)" oci-wasm pack -q -j "$jobs" --no-cache -f app/spin.toml --layers bundles -o "oci:image$jobs:v1"
    runs "its bundles hold each file in one gzip member" python3 -B "$root/tests/cli/bundles.py" "image$jobs" app
    read -r bundles files <<<"$out"
    same "all 2,000" 2000 "$files"
    holds "there are several bundles" test "$bundles" -gt 1
done
same "the same image" "$(tree_digest image1)" "$(tree_digest image4)"

# The reader does notice a second member, or this proves nothing.
python3 - <<'END'
import gzip, hashlib, json, os, shutil
shutil.copytree("image1", "split")
def blob(name):
    return "split/blobs/" + name.replace(":", "/")
def put(data):
    name = "sha256:" + hashlib.sha256(data).hexdigest()
    with open(blob(name), "wb") as file:
        file.write(data)
    return name
index = json.load(open("split/index.json"))
manifest = json.load(open(blob(index["manifests"][0]["digest"])))
layer = next(one for one in manifest["layers"] if "bundle" in one["mediaType"])
plain = gzip.decompress(open(blob(layer["digest"]), "rb").read())
half = len(plain) // 1024 * 512
layer["digest"] = put(gzip.compress(plain[:half], 1) + gzip.compress(plain[half:], 1))
index["manifests"][0]["digest"] = put(json.dumps(manifest).encode())
json.dump(index, open("split/index.json", "w"))
END
fails 1 "a bundle of two members is found out" python3 -B "$root/tests/cli/bundles.py" split app
holds "for that reason" grep -q 'follows the first gzip member' <<<"$err"
cli_finish
