#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A push that is killed goes on where the registry got to, if the registry keeps unfinished uploads:
# distribution 3 does. Others begin anew. The web server's log in front says what travelled.
#
# usage: test-resume-upload.sh OCI_WASM [distribution-]nginx
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_choose "$2"
registry_require curl nginx htpasswd
registry_init
registry_start "$REGISTRY_KIND" || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
there=$REGISTRY_ADDRESS/team/big
size=300000000
notes=$HOME/.local/state/oci-wasm/uploads
mkdir "$HOME/.docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY_ADDRESS" \
    "$(printf '%s' "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)" >"$HOME/.docker/config.json"
push=(oci-wasm blob put "$there" layer --ca-file "$REGISTRY_CA")

# What arrived of uploads that did not end.
arrived() {
    find "$REGISTRY_STORAGE" -path '*/_uploads/*' -name data -printf '%s\n' 2>/dev/null |
        awk '{ n += $1 } END { print n + 0 }'
}
# The bytes of the requests that sent blobs: one line each that the server has answered.
received() {
    sed -nE 's/^"PUT [^"]*blobs\/uploads[^"]*" ([0-9]+) .* received ([0-9]+) .*$/\1 \2/p' \
        "$REGISTRY_ROOT/$REGISTRY_NAME/nginx-access.log"
}
# push_until BYTES SIGNAL: begins the push, ends it once that much has arrived.
push_until() {
    "${push[@]}" >/dev/null 2>&1 &
    local pid=$! before
    before=$(arrived)
    until [ $(($(arrived) - before)) -gt "$1" ]; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.01
    done
    kill "-$2" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    sleep 0.5
}

head -c "$size" /dev/urandom >layer
push_until 50000000 KILL
kept=$(arrived)
holds "the kill came midway ($kept bytes arrived)" test "$kept" -gt 50000000 -a "$kept" -lt "$size"
same "one upload is noted" 1 "$(find "$notes" -type f | wc -l)"
same "for the user alone" 600 "$(stat -c %a "$notes"/*)"
same "in a folder of the user's own" 700 "$(stat -c %a "$notes")"

if [ "$registry_program" = registry ]; then
    # Interrupted, it does not give the upload up: what is noted may go on.
    push_until 20000000 INT
    later=$(arrived)
    holds "an interrupted push had gone on ($later bytes)" test "$later" -gt $((kept + 20000000))
    kept=$later
    runs "the same push goes on" "${push[@]}" -v
    holds "and says so" grep -q "an earlier upload goes on at byte $kept" <<<"$err"
    sent=$(received | awk '$1 == 201 { print $2 }')
    holds "only the missing bytes travel ($sent of $size)" \
        test "$sent" -ge $((size - kept)) -a "$sent" -le $((size - kept + size / 100))
else
    runs "the same push begins anew" "${push[@]}" -v
    sent=$(received | awk '$1 == 201 { print $2 }')
    holds "as the registry forgot the upload" test "$sent" -ge "$size"
fi
same "nothing is noted any more" 0 "$(find "$notes" -type f | wc -l)"
runs "the bytes are right" oci-wasm blob get "$there@sha256:$(sha256sum layer | cut -d' ' -f1)" -o back \
    --ca-file "$REGISTRY_CA"
holds "all of them" cmp layer back
cli_finish
