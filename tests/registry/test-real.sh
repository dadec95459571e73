#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Starts one registry of a kind and runs a test program against it; the program prints TAP.
#
# "referrers" is go-containerregistry's registry, built by tests/support/peers.sh; its tags outlive the
# manifests they stand for, so deletion is left out there.
#
# usage: test-real.sh PROGRAM [distribution-]plain|tls-auth|nginx|token|identity|nodelete, or referrers
program=$(realpath -e "$1") || exit 1
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_choose "$2"
kind=$REGISTRY_KIND
PATH=${OCIW_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/oci-wasm-peers}/bin:$PATH
registry_init
if [ "$kind" = referrers ]; then
    registry_require curl referrers-registry
    referrers-registry >"$REGISTRY_ROOT/address" 2>/dev/null &
    # shellcheck disable=SC2034  # registry_cleanup ends it
    REGISTRY_PIDS[referrers]=$!
    REGISTRY_CA=''
    registry_wait 20 $! test -s "$REGISTRY_ROOT/address" || exit 1
    REGISTRY_ADDRESS=$(cat "$REGISTRY_ROOT/address")
else
    registry_start "${kind/identity/token}" || exit 1
fi
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
with=()
if [ -n "$REGISTRY_CA" ]; then
    with=(--ca "$REGISTRY_CA" --user "$REGISTRY_USER" --password "$REGISTRY_PASSWORD")
fi
case $kind in
referrers) with=(--no-delete) ;;
nodelete) with=(--delete-off) ;;
token) with=(--user "$REGISTRY_USER" --password "$REGISTRY_PASSWORD") ;;
identity) with=(--identity 'refresh me & keep me') ;;
esac
"$program" "$REGISTRY_ADDRESS/team/app" "${with[@]}"
status=$?
[ "$status" = 0 ] || [ "$kind" = referrers ] || registry_log "$REGISTRY_NAME" | tail -n 20 | sed 's/^/# /'
exit "$status"
