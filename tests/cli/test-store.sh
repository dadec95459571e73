#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Layout directories and archives from outside: many processes, killed writers, damage, garbage.
#
# usage: test-store.sh OCI_WASM
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
golden=$root/testdata/golden

runs "a golden layout is copied" oci-wasm copy "oci:$golden/layouts/spin-3.6.3:v1" oci:store:v1
digest=$(oci-wasm resolve oci:store:v1)
holds "nothing but a layout is there" [ "$(echo store/*)" = "store/blobs store/index.json store/oci-layout" ]

# Twenty processes, five names each, into one directory.
for i in {1..20}; do
    (for n in {1..5}; do oci-wasm copy -q oci:store:v1 "oci:many:p$i-$n" >/dev/null || exit 1; done) &
    jobs[i]=$!
done
lost=0
for i in {1..20}; do wait "${jobs[i]}" || lost=1; done
same "no process fails" 0 "$lost"
runs "the names are listed" oci-wasm tags oci:many
same "none is lost" 100 "$(wc -l <<<"$out")"
runs "and everything is right" oci-wasm store verify many
holds "no lock and no temporary file stays" [ "$(ls -A many)" = "$(printf 'blobs\nindex.json\noci-layout')" ]

# A writer that is killed: what it had is taken up, and the layout was whole all the time. The
# blob has to be large enough that the signal comes before the end.
mkdir big big/blobs big/blobs/sha256
head -c 200M /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >blob
printf '{}' >config
put() {
    local sum
    sum=$(sha256sum "$1" | cut -d ' ' -f 1)
    mv "$1" "big/blobs/sha256/$sum"
    echo "sha256:$sum"
}
layer=$(put blob)
config=$(put config)
printf '{"schemaVersion":2,"config":{"mediaType":"application/x-config","digest":"%s","size":2},"layers":[{"mediaType":"application/x-layer","digest":"%s","size":209715200}]}' \
    "$config" "$layer" >manifest
size=$(stat -c %s manifest)
manifest=$(put manifest)
printf '{"imageLayoutVersion":"1.0.0"}' >big/oci-layout
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s}]}' \
    "$manifest" "$size" >big/index.json
partial=many/ingest/partial-sha256-${layer#sha256:}
for delay in 0.05 0.08 0.12 0.2 0.3; do
    oci-wasm copy -q oci:big oci:many:big >/dev/null 2>&1 &
    victim=$!
    sleep "$delay"
    kill -9 "$victim" 2>/dev/null
    wait "$victim" 2>/dev/null
    [ ! -e "$partial" ] || break
done
if [ -e "$partial" ]; then
    had=$(stat -c %s "$partial")
    holds "a killed writer leaves what it had ($had bytes)" [ "$had" -gt 0 ]
    holds "outside of blobs" [ ! -e "many/blobs/sha256/${layer#sha256:}" ]
    runs "meanwhile the layout is whole" oci-wasm store verify many
else
    skips "a killed writer leaves what it had" "it was never caught in the middle"
fi
runs "the next one ends the work" oci-wasm copy oci:big oci:many:big
same "with the right digest" "$manifest" "$out"
holds "and takes the rest away" [ ! -e many/ingest ]
runs "all is right" oci-wasm store verify many

# Damage is found, told, and never copied on.
victim=many/blobs/sha256/${layer#sha256:}
chmod u+w "$victim"
printf x | dd of="$victim" bs=1 seek=1000000 conv=notrunc status=none
fails 6 "one wrong byte is found" oci-wasm store verify many
holds "and named" grep -q "^damaged $layer" <<<"$out"
fails 6 "a copy refuses it" oci-wasm copy oci:many:big oci:copy:big
holds "and leaves no layout" [ ! -e copy/index.json ]
fails 6 "an archive refuses it" oci-wasm copy oci:many:big oci-archive:copy.tar:big
holds "and leaves no file" [ ! -e copy.tar ]
rm "$victim"
fails 3 "a missing blob is found" oci-wasm store verify many

# Garbage.
runs "a name is deleted" oci-wasm delete oci:many:big
runs "what nothing needs is listed" oci-wasm store gc --any-age many
holds "its config among it" grep -qx "unreferenced $config" <<<"$out"
holds "and still there" [ -e "many/blobs/sha256/${config#sha256:}" ]
runs "and removed when told" oci-wasm store gc --any-age --delete many
holds "for good" [ ! -e "many/blobs/sha256/${config#sha256:}" ]
runs "what is needed stays" oci-wasm store verify many
runs "a list has digests and names" oci-wasm store list many
holds "in one line each" grep -qx "$digest p1-1" <<<"$out"
fails 7 "a folder that is no layout is refused" oci-wasm store verify "$root/docs"
fails 3 "a folder that is not there too" oci-wasm store list nothing

# A blob goes to a pipe as it does to a file, and the pipe stays one (so does /dev/null).
mkfifo pipe
sha256sum <pipe >sum &
reader=$!
runs "a blob is written to a pipe" timeout 20 oci-wasm blob get -o pipe "oci:store@$digest"
holds "which is still a pipe" [ -p pipe ]
[ -p pipe ] || kill "$reader"
wait "$reader"
same "with all of the blob" "${digest#sha256:}" "$(cut -d ' ' -f 1 sum)"

# Archives: the same bytes every time, whole or absent, and read back.
runs "an archive is written" oci-wasm copy oci:store:v1 oci-archive:one.tar:v1
runs "and again" oci-wasm copy oci:store:v1 oci-archive:two.tar:v1
holds "with the same bytes" cmp one.tar two.tar
gzip -k one.tar
runs "a compressed one is read" oci-wasm resolve oci-archive:one.tar.gz:v1
same "with our digest" "$digest" "$out"
head -c 100000 one.tar >cut.tar
fails 6 "one cut short is refused" oci-wasm resolve oci-archive:cut.tar:v1
for archive in "$golden"/archives/*.tar; do
    runs "golden ${archive##*/} is listed" oci-wasm tags "oci-archive:$archive"
    runs "and copied" oci-wasm copy "oci-archive:$archive" "oci:archives:${archive##*/}"
done
for layout in "$golden"/layouts/*; do
    runs "golden ${layout##*/} is right" oci-wasm store verify "$layout"
done
cli_finish
