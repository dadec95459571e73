#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Extraction of thousands of files when things go wrong (extraction.md 4): on a disk that fills up,
# several at once, short of descriptors, and with somebody who swaps directories for links meanwhile. After
# each the destination is absent or whole, and nothing is left beside it. Kills and system calls that fail
# are campaigns of tests/faults, over all flows.
#
# usage: test-extract-faults.sh OCI_WASM_EXTRACT        environment: FAULT_SECONDS, 20 by default
tool=$(realpath -e "$1") || exit 1
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$tool"
seconds=${FAULT_SECONDS:-20}

# Two layers: 3000 files and 12 MiB that do not compress, then whiteouts and new files.
cat >make-image.py <<'EOF'
import gzip, hashlib, io, json, os, random, tarfile

rng = random.Random(7)

def layer(entries):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, size in entries:
            info = tarfile.TarInfo(name)
            info.size = size
            tar.addfile(info, io.BytesIO(rng.randbytes(size)))
    return raw.getvalue()

lower = layer([(f"d{i % 30}/sub/f{i}", rng.randrange(8192)) for i in range(3000)])
upper = layer([(".wh.d3", 0), ("d4/.wh..wh..opq", 0)] + [(f"d4/n{i}", 100) for i in range(500)])
os.makedirs("image/blobs/sha256")

def put(data, media_type):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"image/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

oci = "application/vnd.oci.image."
config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [
    "sha256:" + hashlib.sha256(x).hexdigest() for x in (lower, upper)]}}
manifest = {"schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
            "config": put(json.dumps(config).encode(), oci + "config.v1+json"),
            "layers": [put(gzip.compress(x, 1), oci + "layer.v1.tar+gzip") for x in (lower, upper)]}
index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), oci + "manifest.v1+json")]}
for name, value in (("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
    with open("image/" + name, "w") as file:
        json.dump(value, file)
EOF
python3 make-image.py || exit 1
runs "the image extracts" "$tool" oci:image whole
want=$(tree_digest whole)
mkdir run
cd run || exit 1

# --- several at once ---
for count in 2 8; do
    pids=()
    for ((i = 0; i < count; i++)); do
        "$tool" --no-sync oci:../image together >/dev/null 2>&1 &
        pids+=($!)
    done
    statuses=()
    for pid in "${pids[@]}"; do
        status=0
        wait "$pid" || status=$?
        statuses+=("$status")
    done
    same "of $count at once one wins, the others say that it is there" "1 0 $((count - 1)) 10" \
        "$(printf '%s\n' "${statuses[@]}" | sort -n | uniq -c | tr -s ' \n' ' ' | sed 's/^ //; s/ $//')"
    same "and the tree is whole" "$want" "$(tree_digest together)"
    same "and alone" together "$(ls -A)"
    rm -rf together
done

# --- a full disk ---
mkdir ../disk
if mount -t tmpfs -o size=4m none ../disk 2>/dev/null; then
    for option in --serial ""; do
        fails 1 "a disk that fills up is an error ${option:-with two threads}" "$tool" ${option:+"$option"} oci:../image ../disk/out
        holds "with its reason" grep -qi 'no space left' <<<"$err"
        same "and is empty afterwards" "" "$(ls -A ../disk)"
    done
    umount ../disk
    mount -t tmpfs -o nr_inodes=500 none ../disk
    fails 1 "so is one without inodes" "$tool" oci:../image ../disk/out
    same "which is empty too" "" "$(ls -A ../disk)"
    umount ../disk
else
    skips "a full disk" "needs to mount a tmpfs"
fi
fails 1 "a file that may not grow is an error" bash -c 'ulimit -f 4; exec "$1" oci:../image none' - "$tool"
holds "with its reason" grep -qi 'file too large' <<<"$err"
same "and nothing is left" "" "$(ls -A)"
bad=0
for ((count = 9; count < 16; count++)); do
    bash -c 'ulimit -n "$2"; exec "$1" --no-sync oci:../image few' - "$tool" "$count" >/dev/null 2>&1
    [ ! -e few ] || [ "$(tree_digest few)" = "$want" ] || bad=$((bad + 1))
    rm -rf few
done
same "with few descriptors it works or leaves nothing" "0 " "$bad $(ls -A)"

# --- links for directories ---
cat >../swap.py <<'EOF'
import glob, os, sys, time

end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for tree in glob.glob(".out.*.partial"):
        for name in ("d1", "d2/sub"):
            path = os.path.join(tree, name)
            try:
                os.rename(path, path + ".kept")
                os.symlink("../../outside" if "/" not in name else "../../../outside", path)
                os.unlink(path)
                os.rename(path + ".kept", path)
            except OSError:
                pass
EOF
mkdir ../outside
for option in --serial --no-openat2; do
    python3 ../swap.py "$((seconds / 2))" &
    swapper=$!
    deadline=$((SECONDS + seconds / 2))
    while [ "$SECONDS" -lt "$deadline" ]; do
        "$tool" --no-sync "$option" oci:../image out >/dev/null 2>&1
        chmod -R u+rwx out 2>/dev/null
        rm -rf out
    done
    wait "$swapper"
    same "swapped links let nothing out ($option)" "" "$(ls -A ../outside)"
done
cli_finish
