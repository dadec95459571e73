#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A pull that is killed goes on where it was; a push that is killed sends no blob twice that arrived;
# many pushes at once lose nothing. The registry's own log says what travelled.
#
# usage: test-resume.sh OCI_WASM
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl
registry_init
registry_start plain || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
there=$REGISTRY_ADDRESS/team/big
size=300000000

# The log of the registry: lines of one method and path, and the bytes of an answer.
requests() { # METHOD PATH-PART
    registry_log "$REGISTRY_NAME" | grep -a "\"$1 [^ ]*$2[^ ]* HTTP/1.1\""
}
sent_bytes() {
    sed -E 's/.*HTTP\/1\.1" [0-9]+ ([0-9]+) .*/\1/' | awk '{ n += $1 } END { print n + 0 }'
}

head -c "$size" /dev/urandom >layer
head -c 1000000 /dev/urandom >small
printf '{}' >empty
runs "a large blob is put" oci-wasm blob put "$there" layer
large=$out
runs "a small one" oci-wasm blob put "$there" small
little=$out
runs "and the empty config" oci-wasm blob put "$there" empty
config=$out
manifest() { # ANNOTATION
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"test/resume","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[{"mediaType":"application/octet-stream","digest":"%s","size":%s},{"mediaType":"application/octet-stream","digest":"%s","size":1000000}],"annotations":{"n":"%s"}}' \
        "$config" "$large" "$size" "$little" "$1"
}
manifest 0 >manifest.json
runs "the manifest is put" oci-wasm manifest put "$there:v1" manifest.json
digest=$out

# ---- pull ----
oci-wasm pull "$there:v1" oci:image:v1 >/dev/null 2>&1 &
pull=$!
partial=image/ingest/partial-sha256-${large#sha256:}
until [ "$(stat -c %s "$partial" 2>/dev/null || echo 0)" -gt 20000000 ]; do
    kill -0 "$pull" 2>/dev/null || break
    sleep 0.005
done
kill -9 "$pull" 2>/dev/null
wait "$pull" 2>/dev/null
kept=$(stat -c %s "$partial" 2>/dev/null || echo 0)
holds "the kill came midway" test "$kept" -gt 0 -a "$kept" -lt "$size"
holds "no unverified byte is among the blobs" test ! -e "image/blobs/sha256/${large#sha256:}"
runs "the same pull goes on" oci-wasm pull "$there:v1" oci:image:v1
same "to the same digest" "$digest" "$out"
sleep 0.2
# The killed request is logged whenever the server notices: a part is told by its status.
requests GET "blobs/$large" | grep '" 206 ' >second
same "with one request for a part" 1 "$(wc -l <second)"
same "which is the missing bytes" "$((size - kept))" "$(sent_bytes <second)"
same "and none for the whole but the killed one" 1 "$(requests GET "blobs/$large" | grep -c '" 200 ')"
holds "nothing is left in the ingest folder" test -z "$(ls -A image/ingest 2>/dev/null)"
holds "the bytes are right" cmp layer "image/blobs/sha256/${large#sha256:}"
runs "once more costs no blob" oci-wasm pull "$there:v1" oci:image:v1
sleep 0.2
same "indeed" 2 "$(requests GET "blobs/$large" | wc -l)"

# ---- push ----
other=$REGISTRY_ADDRESS/team/other
oci-wasm copy oci:image:v1 "$other:v1" -j 1 >/dev/null 2>&1 &
push=$!
# Only what has arrived may be skipped: wait until the small blobs have.
for _ in $(seq 400); do
    [ "$(requests PUT team/other/blobs/uploads | grep -c '" 201 ')" -lt 1 ] || break
    kill -0 "$push" 2>/dev/null || break
    sleep 0.005
done
kill -9 "$push" 2>/dev/null
wait "$push" 2>/dev/null
sleep 0.3
arrived=$(requests PUT team/other/blobs/uploads | grep -c '" 201 ')
runs "the same push goes on" oci-wasm copy oci:image:v1 "$other:v1"
same "to the same digest" "$digest" "$out"
sleep 0.2
same "and sends each blob once that had not arrived" "$((3 - arrived))" \
    "$(($(requests PUT team/other/blobs/uploads | grep -c '" 201 ') - arrived))"
runs "again nothing is sent" oci-wasm copy oci:image:v1 "$other:v1"
sleep 0.2
same "indeed" 3 "$(requests PUT team/other/blobs/uploads | grep -c '" 201 ')"

# ---- many at once ----
crowd=$REGISTRY_ADDRESS/team/crowd
head -c 3000000 /dev/urandom >shared
runs "a layout with a shared blob" oci-wasm blob put oci:many shared
shared=$out
runs "its config" oci-wasm blob put oci:many empty
for n in $(seq 16); do
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"test/crowd","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[{"mediaType":"application/octet-stream","digest":"%s","size":3000000},{"mediaType":"application/octet-stream","digest":"%s","size":3000000}],"annotations":{"n":"%s"}}' \
        "$config" "$shared" "$shared" "$n" >"manifest-$n.json"
    oci-wasm manifest put "oci:many:$n" "manifest-$n.json" >/dev/null 2>&1
done
pids=()
for n in $(seq 16); do
    oci-wasm copy "oci:many:$n" "$crowd:$n" >/dev/null 2>"crowd-$n.err" &
    pids+=($!)
done
bad=0
for pid in "${pids[@]}"; do
    wait "$pid" || bad=$((bad + 1))
done
same "16 pushes at once all succeed" 0 "$bad"
same "and no tag is lost" 16 "$(oci-wasm tags "$crowd" | wc -l)"
sleep 0.2
puts=$(requests PUT team/crowd/blobs/uploads | grep -c "${shared#sha256:}")
holds "the shared blob is sent once a process at most ($puts)" test "$puts" -le 16
cli_finish
