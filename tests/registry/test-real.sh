#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Starts one registry of a kind and runs a test program against it; the program prints TAP.
#
# usage: test-real.sh PROGRAM plain|tls-auth|nginx|token|identity
program=$(realpath -e "$1") || exit 1
kind=$2
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl
registry_init
registry_start "${kind/identity/token}" || exit 1
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
with=()
if [ -n "$REGISTRY_CA" ]; then
    with=(--ca "$REGISTRY_CA" --user "$REGISTRY_USER" --password "$REGISTRY_PASSWORD")
fi
case $kind in
token) with=(--user "$REGISTRY_USER" --password "$REGISTRY_PASSWORD") ;;
identity) with=(--identity 'refresh me & keep me') ;;
esac
"$program" "$REGISTRY_ADDRESS/team/app" "${with[@]}"
status=$?
[ "$status" = 0 ] || registry_log "$REGISTRY_NAME" | tail -n 20 | sed 's/^/# /'
exit "$status"
