#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Registry clients read what we pushed and we read what they pushed, one digest all the way; with
# oras referrers too, by the API and by the tag that stands in for it.
#
# usage: test-peers.sh OCI_WASM crane|oras|regctl|skopeo|referrers-tag|referrers-api
kind=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../support/skip.sh
source "$here/../support/skip.sh"
PATH=${OCIW_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/oci-wasm-peers}/bin:$PATH
needed=$kind
case $kind in
referrers-tag) needed=oras ;;
referrers-api) needed='oras referrers-registry' ;;
esac
for tool in $needed; do
    command -v "$tool" >/dev/null || skip_all "no $tool here"
done
# shellcheck source=../support/registry.sh
source "$here/../support/registry.sh"
registry_require docker-registry curl python3
registry_init
# shellcheck source=../cli/lib.sh
source "$here/../cli/lib.sh"
cli_init "$@"

digest_of() {
    sha256sum "$1" | sed 's/^\([0-9a-f]*\).*/sha256:\1/'
}

start_registry() {
    if [ "$kind" != referrers-api ]; then
        registry_start plain
        return
    fi
    referrers-registry >"$work/address" 2>"$work/registry.err" </dev/null &
    REGISTRY_PIDS[api]=$!
    registry_wait 20 $! test -s "$work/address" || return 1
    REGISTRY_ADDRESS=$(cat "$work/address")
}

# The digests that oras sees, and those that we see, each sorted.
oras_sees() {
    oras discover --plain-http --distribution-spec "v1.1-$kind" --format json "$reference:v1" |
        grep -o 'sha256:[0-9a-f]\{64\}' | grep -vFx "$digest" | LC_ALL=C sort -u | xargs
}

we_see() {
    oci-wasm referrers --flat --json "$reference:v1" |
        grep -o 'sha256:[0-9a-f]\{64\}' | grep -vFx "$digest" | LC_ALL=C sort -u | xargs
}

fetch() {
    case $kind in
    crane) crane pull --insecure --format oci "$1" "$2" ;;
    oras) oras copy --from-plain-http --to-oci-layout "$1" "$2:v1" ;;
    regctl) regctl image copy "$1" "ocidir://$2:v1" ;;
    skopeo) skopeo copy -q --src-tls-verify=false "docker://$1" "oci:$2:v1" ;;
    esac
}

send() {
    case $kind in
    crane) crane push --insecure "$1" "$2" ;;
    oras) oras copy --from-oci-layout --to-plain-http "$1:v1" "$2" ;;
    regctl) regctl image copy "ocidir://$1:v1" "$2" ;;
    skopeo) skopeo copy -q --dest-tls-verify=false "oci:$1:v1" "docker://$2" ;;
    esac
}

manifest_of() {
    case $kind in
    crane) crane manifest --insecure "$1" ;;
    oras) oras manifest fetch --plain-http "$1" ;;
    regctl) regctl manifest get --format raw-body "$1" ;;
    skopeo) skopeo inspect --raw --tls-verify=false "docker://$1" ;;
    esac
}

start_registry || exit 1
reference=$REGISTRY_ADDRESS/team/app
runs "an app is packed" oci-wasm pack -f "$root/testdata/apps/notes/spin.toml" -o oci:ours:v1
digest=$out
runs "and pushed" oci-wasm copy --plain-http oci:ours:v1 "$reference:v1"

case $kind in
referrers-*)
    echo '{"made": "by us"}' >note.json
    echo '{"made": "by oras"}' >other.json
    runs "we attach a file" oci-wasm attach --plain-http --artifact-type application/x-note \
        "$reference:v1" note.json:application/json
    mine=$out
    same "oras discovers it" "$mine" "$(oras_sees)"
    runs "oras attaches another" oras attach --plain-http --distribution-spec "v1.1-$kind" \
        --artifact-type application/x-other "$reference:v1" other.json:application/json
    same "we see what oras sees" "$(oras_sees)" "$(we_see)"
    same "which is two artifacts" 2 "$(we_see | wc -w)"
    holds "ours still among them" grep -qF "$mine" <<<"$(we_see)"
    ;;
*)
    [ "$kind" != regctl ] || regctl registry set --tls disabled "$REGISTRY_ADDRESS" 2>/dev/null
    manifest_of "$reference:v1" >manifest.json
    same "$kind reads our manifest byte for byte" "$digest" "$(digest_of manifest.json)"
    runs "$kind fetches our app" fetch "$reference:v1" theirs
    name=$(oci-wasm store list theirs | grep -o 'sha256:[0-9a-f]\{64\}' | head -n 1)
    same "with our digest" "$digest" "$name"
    runs "its layout is right" oci-wasm store verify theirs
    runs "$kind pushes it" send ours "$REGISTRY_ADDRESS/team/theirs:v1"
    runs "we pull that" oci-wasm pull --plain-http "$REGISTRY_ADDRESS/team/theirs:v1" oci:back:v1
    same "with the same digest" "$digest" "$(oci-wasm resolve oci:back:v1)"
    runs "all of it" oci-wasm store verify back
    ;;
esac
cli_finish
